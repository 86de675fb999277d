"""Where else modules come from: packages of pretrained models, and the mode in which each hands them over."""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Factory,
    ForwardMethod,
    Ordinary,
    Parameter,
    Rule,
    SelfModing,
    Table,
    names,
)

CLIP = "https://github.com/openai/CLIP/blob/main/clip/clip.py"
OPEN_CLIP = "https://github.com/mlfoundations/open_clip/blob/main/src/open_clip/factory.py"
SMP = "https://github.com/qubvel-org/segmentation_models.pytorch/blob/main/segmentation_models_pytorch"
EFFICIENTNET = "https://github.com/lukemelas/EfficientNet-PyTorch/blob/master/efficientnet_pytorch/model.py"
FACENET = "https://github.com/timesler/facenet-pytorch/blob/master/models"
HUB = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/hub_mixin.py"
DETECTRON = "https://detectron2.readthedocs.io/en/latest"
OPEN_MMLAB = "https://github.com/open-mmlab"
FAIRSEQ = "https://github.com/facebookresearch/fairseq/blob/main/fairseq"
FLAIR = "https://github.com/flairNLP/flair/blob/master/flair"
AUDIO = "https://docs.pytorch.org/audio/stable"
WHISPER = "https://github.com/openai/whisper/blob/main/whisper"
SAM2 = "https://github.com/facebookresearch/sam2/blob/main/sam2/build_sam.py"
LPIPS = "https://github.com/richzhang/PerceptualSimilarity/blob/master/lpips/lpips.py"

BUILDS = "builds a module and loads weights into it; neither switches it to eval"
EVALUATED = "calls eval() before it returns the module"

FACTORIES = (
    Factory("clip.load", "eval", EVALUATED, CLIP, part="first"),
    Factory("clip.model.build_model", "eval", EVALUATED, CLIP),
    *(Factory(f"open_clip.{name}", "train", BUILDS, OPEN_CLIP) for name in ("create_model", "load_openai_model")),
    *(
        Factory(f"open_clip.{name}", "train", BUILDS, OPEN_CLIP, part="first")
        for name in ("create_model_and_transforms", "create_model_from_pretrained")
    ),
    Factory("segmentation_models_pytorch.[A-Z]*", "train", BUILDS, f"{SMP}/base/model.py"),
    Factory("segmentation_models_pytorch.create_model", "train", BUILDS, f"{SMP}/__init__.py"),
    *(
        Factory(
            name,
            "unknown",
            "of the hub mixin: weights of the pickle format bring eval mode, those of safetensors leave train mode",
            HUB,
        )
        for name in (
            "huggingface_hub.PyTorchModelHubMixin.from_pretrained",
            "segmentation_models_pytorch.from_pretrained",
            "segmentation_models_pytorch.[A-Z]*.from_pretrained",
        )
    ),
    *(
        Factory(
            f"efficientnet_pytorch.EfficientNet.{method}",
            "train",
            BUILDS,
            EFFICIENTNET,
            layers=("BatchNorm2d", "Dropout"),
        )
        for method in ("from_pretrained", "from_name")
    ),
    Factory(
        "facenet_pytorch.InceptionResnetV1",
        "train",
        BUILDS,
        f"{FACENET}/inception_resnet_v1.py",
        layers=("BatchNorm2d", "Dropout", "BatchNorm1d"),
    ),
    Factory("facenet_pytorch.MTCNN", "train", BUILDS, f"{FACENET}/mtcnn.py", layers=()),
    Factory(
        "pretrainedmodels.[a-z]*",
        "train",
        BUILDS,
        "https://github.com/Cadene/pretrained-models.pytorch",
    ),
    Factory(
        "pretrainedmodels.models.[a-z]*",
        "train",
        BUILDS,
        "https://github.com/Cadene/pretrained-models.pytorch",
    ),
    Factory("pytorchcv.model_provider.get_model", "train", BUILDS, "https://github.com/osmr/imgclsmob"),
    Factory("resnest.torch.[a-z]*", "train", BUILDS, "https://github.com/zhanghang1989/ResNeSt"),
    Factory("robustbench.utils.load_model", "unknown", "differs between its models", "https://github.com/RobustBench/robustbench"),
    Factory("robustbench.load_model", "unknown", "differs between its models", "https://github.com/RobustBench/robustbench"),
    *(
        Factory(
            f"sam2.build_sam.{name}",
            "eval",
            "builds the model, loads weights and calls eval(), unless `mode` says otherwise",
            SAM2,
            unless=Rule(Parameter("mode", position)),
        )
        for name, position in (
            ("build_sam2", 3),
            ("build_sam2_video_predictor", 3),
            ("build_sam2_hf", None),
            ("build_sam2_video_predictor_hf", None),
        )
    ),
    Factory(
        "lpips.LPIPS",
        "eval",
        "its constructor calls eval() unless told otherwise",
        LPIPS,
        unless=Rule(Parameter("eval_mode", 9, True), negated=True),
    ),
    Factory(
        "pytorch_fid.inception.InceptionV3",
        "train",
        "builds a module and loads weights into it; the package's own callers call eval()",
        "https://github.com/mseitzer/pytorch-fid/blob/master/src/pytorch_fid/inception.py",
        layers=("BatchNorm2d",),
    ),
    Factory(
        "detectron2.modeling.build_model",
        "train",
        "builds the module, and loads no weights",
        f"{DETECTRON}/modules/modeling.html",
    ),
    Factory(
        "detectron2.model_zoo.get",
        "train",
        "its documentation: the model will be in training mode",
        f"{DETECTRON}/modules/model_zoo.html",
    ),
    *(
        Factory(name, "eval", "builds the model, loads weights and calls eval()", f"{OPEN_MMLAB}/{repository}")
        for name, repository in (
            ("mmdet.apis.init_detector", "mmdetection"),
            ("mmdet3d.apis.init_model", "mmdetection3d"),
            ("mmseg.apis.init_model", "mmsegmentation"),
            ("mmseg.apis.init_segmentor", "mmsegmentation"),
            ("mmcls.apis.init_model", "mmpretrain"),
            ("mmpose.apis.init_model", "mmpose"),
            ("mmpose.apis.init_pose_model", "mmpose"),
            ("mmaction.apis.init_recognizer", "mmaction2"),
            ("mmocr.apis.init_detector", "mmocr"),
            ("mmedit.apis.init_model", "mmagic"),
        )
    ),
    *(
        Factory(name, "train", "builds the module from its configuration", f"{OPEN_MMLAB}/{repository}")
        for name, repository in (
            ("mmdet.models.build_detector", "mmdetection"),
            ("mmdet3d.models.build_model", "mmdetection3d"),
            ("mmseg.models.build_segmentor", "mmsegmentation"),
            ("mmcls.models.build_classifier", "mmpretrain"),
            ("mmpose.models.build_posenet", "mmpose"),
            ("mmaction.models.build_model", "mmaction2"),
        )
    ),
    *(
        Factory(
            f"fairseq.checkpoint_utils.{name}",
            "train",
            "returns a list of models, built and loaded, then the configuration and the task",
            f"{FAIRSEQ}/checkpoint_utils.py",
            part="first",
        )
        for name in ("load_model_ensemble", "load_model_ensemble_and_task")
    ),
    Factory(
        "fairseq.models.**.from_pretrained",
        "unknown",
        "an interface around models that are in eval mode for good, or, for RoBERTa and kin, around one in train mode",
        f"{FAIRSEQ}/hub_utils.py",
    ),
    Factory(
        "detectron2.engine.DefaultPredictor",
        "eval",
        "builds the model, loads weights and calls eval()",
        "https://github.com/facebookresearch/detectron2/blob/main/detectron2/engine/defaults.py",
        part="attributes",
    ),
    Factory(
        "detectron2.engine.DefaultTrainer.build_model",
        "train",
        "builds the module, and loads no weights",
        "https://github.com/facebookresearch/detectron2/blob/main/detectron2/engine/defaults.py",
    ),
    Factory(
        "flair.**.load",
        "eval",
        "loads the model and calls eval()",
        f"{FLAIR}/nn/model.py",
    ),
    Factory(
        "torchaudio.pipelines.*.get_model",
        "eval",
        "loads the weights and calls eval()",
        f"{AUDIO}/pipelines.html",
    ),
    Factory("torchaudio.models.[a-z]*", "train", "builds the module", f"{AUDIO}/models.html"),
    Factory(
        "whisper.load_model",
        "train",
        "loads weights, and does not switch; its layers are the same in both modes",
        f"{WHISPER}/__init__.py",
        layers=(),
    ),
    Factory("speechbrain.**.from_hparams", "eval", "evaluates and freezes its modules by default", "https://speechbrain.readthedocs.io/en/latest/API/speechbrain.inference.interfaces.html"),
    Factory("esm.pretrained.[a-z]*", "train", "returns a model, built and loaded, and its alphabet", "https://github.com/facebookresearch/esm/blob/main/esm/pretrained.py", part="first"),
    Factory("monai.networks.nets.[A-Z]*", "train", "builds the module", "https://docs.monai.io/en/stable/networks.html"),
)  # fmt: skip

HUB_REPOSITORIES = (
    Factory(
        "ultralytics/yolov5",
        "eval",
        "wraps the model for pictures in AutoShape, which calls eval()",
        "https://github.com/ultralytics/yolov5/blob/master/models/common.py",
    ),
    Factory(
        "huggingface/pytorch-transformers", "eval", "calls from_pretrained", "https://huggingface.co/docs/transformers"
    ),
    Factory(
        "pytorch/fairseq",
        "unknown",
        "models for generation are in eval mode for good, RoBERTa and kin in train mode",
        "https://github.com/facebookresearch/fairseq/blob/main/hubconf.py",
    ),
    Factory("huggingface/transformers", "eval", "calls from_pretrained", "https://huggingface.co/docs/transformers"),
    *(
        Factory(
            f"snakers4/{name}",
            "unknown",
            "loads a saved ScriptModule, and returns it in a tuple",
            f"https://github.com/snakers4/{name}",
            part="first",
        )
        for name in ("silero-vad", "silero-models")
    ),
)
"""What `torch.hub.load` returns for repositories whose entry points do not leave train mode; `name` is the repository."""

ORDINARY = (
    *(
        Ordinary(f"pretrainedmodels.{name}", "a table or a folder of settings", "https://github.com/Cadene/pretrained-models.pytorch")
        for name in ("model_names", "pretrained_settings", "utils.*", "datasets.*")
    ),
    *(
        Ordinary(f"segmentation_models_pytorch.{name}", "holds no networks", f"{SMP}/__init__.py")
        for name in ("losses.*", "metrics.*", "utils.**", "datasets.*", "encoders.get_preprocessing_fn")
    ),
)  # fmt: skip

FORWARD_METHODS = (
    *(
        ForwardMethod(name, "runs one tower of the model", "https://github.com/openai/CLIP/blob/main/clip/model.py", unproved=True)
        for name in ("encode_image", "encode_text")
    ),
    ForwardMethod("extract_features", "runs the layers before the head", EFFICIENTNET),
    ForwardMethod("extract_endpoints", "runs the layers before the head", EFFICIENTNET),
    ForwardMethod("forward_backbone", "runs part of the layers", "https://github.com/facebookresearch/swav/blob/main/src/resnet50.py", unproved=True),
    ForwardMethod("get_intermediate_layers", "runs the layers and returns their outputs", "https://github.com/facebookresearch/dino/blob/main/vision_transformer.py", unproved=True),
    ForwardMethod("get_last_selfattention", "runs the layers up to the last attention", "https://github.com/facebookresearch/dino/blob/main/vision_transformer.py", unproved=True),
    *(
        ForwardMethod(name, "by its name, runs the layers of a module", "https://github.com/pytorch/examples/blob/main/vae/main.py")
        for name in names("decode embed encode features log_prob logits reconstruct rsample")
    ),
)  # fmt: skip

SELF_MODING = (
    *(
        SelfModing(
            f"segmentation_models_pytorch.[A-Z]*.{method}",
            "eval",
            "eval",
            "calls eval() if the model is in train mode, and leaves it so",
            f"{SMP}/base/model.py",
        )
        for method in ("predict",)
    ),
    *(
        SelfModing(
            name,
            "eval",
            None,
            "generates text or sound in eval mode",
            link,
        )
        for name, link in (
            (
                "open_clip.CoCa.generate",
                "https://github.com/mlfoundations/open_clip/blob/main/src/open_clip/coca_model.py",
            ),
        )
    ),
)

TABLE = Table(
    factories=FACTORIES,
    ordinary=ORDINARY,
    forward_methods=FORWARD_METHODS,
    self_moding=SELF_MODING,
)
