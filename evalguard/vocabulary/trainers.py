"""Smaller frameworks: the base classes whose methods they call in a mode of their own setting, and functions that run a whole
model and switch it for the time."""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Framework,
    FrameworkCall,
    HookMode,
    Mode,
    ModeManager,
    Parameter,
    Runner,
    SelfModing,
    Table,
    names,
)

SKORCH = "https://github.com/skorch-dev/skorch/blob/master/skorch/net.py"
MMENGINE = "https://github.com/open-mmlab/mmengine/blob/main/mmengine"
FAIRSEQ = "https://github.com/facebookresearch/fairseq/blob/main/fairseq"
SPEECHBRAIN = "https://github.com/speechbrain/speechbrain/blob/develop/speechbrain/core.py"
DETECTRON = "https://github.com/facebookresearch/detectron2/blob/main/detectron2"
ULTRALYTICS = "https://docs.ultralytics.com/reference/engine/model"
MONAI = "https://github.com/Project-MONAI/MONAI/blob/dev/monai/networks/utils.py"
TORCHTNT = "https://docs.pytorch.org/tnt/stable/framework/auto_unit.html"


def _hooks(train: str = "", evaluate: str = "", managed: str = "") -> dict[str, HookMode]:
    return {
        **dict.fromkeys(names(train), "train"),
        **dict.fromkeys(names(evaluate), "eval"),
        **dict.fromkeys(names(managed), "managed"),
    }


SKORCH_NETS = names("""
    NeuralNet NeuralNetClassifier NeuralNetBinaryClassifier NeuralNetRegressor probabilistic.ExactGPRegressor
    probabilistic.GPBinaryClassifier probabilistic.GPRegressor
""")

MM_HOOKS = _hooks(
    train="before_train before_train_epoch before_train_iter after_train_iter after_train_epoch train_step forward_train",
    evaluate="""
        after_test_iter after_val_iter before_test_epoch before_test_iter before_val_epoch before_val_iter forward_test
        simple_test aug_test test_step val_step after_val_epoch after_test_epoch predict
    """,
    managed="forward loss",
)
MM_LOOPS = "the training loop calls model.train(), the validation and test loops model.eval()"

FRAMEWORKS = (
    *(
        Framework(
            f"skorch.{name}",
            module=False,
            hooks=_hooks(managed="evaluation_step get_loss infer on_batch_begin on_batch_end train_step train_step_single validation_step"),
            why="train_step_single and validation_step set the mode of all modules first",
            link=SKORCH,
            default="managed",
            modules=("self.module_", "net.module_"),
        )
        for name in (*SKORCH_NETS, "callbacks.Callback")
    ),
    *(
        Framework(name, module=True, hooks=MM_HOOKS, why=MM_LOOPS, link=f"{MMENGINE}/runner/loops.py")
        for name in names("""
            mmengine.model.BaseModel mmengine.model.BaseModule mmcv.runner.BaseModule mmdet.models.BaseDetector
            mmdet.models.detectors.BaseDetector mmdet.models.detectors.SingleStageDetector
            mmdet.models.detectors.TwoStageDetector mmseg.models.segmentors.BaseSegmentor
            mmseg.models.segmentors.EncoderDecoder mmcls.models.BaseClassifier mmpretrain.models.BaseClassifier
            mmdet3d.models.Base3DDetector mmpose.models.BasePoseEstimator mmaction.models.BaseRecognizer
            mmengine.model.BaseTTAModel
        """)
    ),
    *(
        Framework(
            name,
            module=False,
            hooks=MM_HOOKS,
            why=MM_LOOPS,
            link=f"{MMENGINE}/runner/loops.py",
            default="managed",
            modules=("runner.model",),
        )
        for name in ("mmengine.hooks.Hook", "mmcv.runner.Hook", "mmcv.runner.hooks.Hook")
    ),
    *(
        Framework(
            name,
            module=False,
            hooks=_hooks(managed="handle_batch on_batch_start on_batch_end predict_batch"),
            why="sets the mode of the model by the name of the loader, and in predict_loader",
            link="https://catalyst-team.github.io/catalyst/api/runners.html",
            default="managed",
            modules=("self.model", "runner.model"),
        )
        for name in names("""
            catalyst.dl.Runner catalyst.dl.IRunner catalyst.dl.SupervisedRunner catalyst.dl.ISupervisedRunner
            catalyst.dl.Callback
        """)
    ),
    Framework(
        "mmengine.runner.Runner",
        module=False,
        hooks={},
        why=MM_LOOPS,
        link=f"{MMENGINE}/runner/runner.py",
        default="managed",
        modules=("self.model",),
    ),
    *(
        Framework(
            name,
            module=module,
            hooks=_hooks(managed="forward inference_step train_step valid_step"),
            why="train_step calls model.train(), valid_step model.eval(), before they call the criterion",
            link=f"{FAIRSEQ}/tasks/fairseq_task.py",
            default="managed",
            modules=("model", "self"),
        )
        for name, module in (
            ("fairseq.tasks.FairseqTask", False),
            ("fairseq.tasks.LegacyFairseqTask", False),
            ("fairseq.tasks.translation.TranslationTask", False),
            ("fairseq.tasks.language_modeling.LanguageModelingTask", False),
            ("fairseq.criterions.FairseqCriterion", True),
            ("fairseq.criterions.LegacyFairseqCriterion", True),
            ("fairseq.criterions.cross_entropy.CrossEntropyCriterion", True),
            ("fairseq.criterions.label_smoothed_cross_entropy.LabelSmoothedCrossEntropyCriterion", True),
        )
    ),
    Framework(
        "speechbrain.Brain",
        module=False,
        hooks=_hooks(train="fit_batch on_fit_batch_start on_fit_batch_end", evaluate="evaluate_batch"),
        why="fit calls self.modules.train() and eval() by stage, evaluate calls eval()",
        link=SPEECHBRAIN,
        default="managed",
        modules=("self.modules", "self.hparams"),
    ),
    *(
        Framework(
            f"detectron2.engine.{name}",
            module=False,
            hooks=_hooks(train="run_step after_step before_step"),
            why="run_step asserts that the model is in train mode; evaluations restore it",
            link=f"{DETECTRON}/engine/train_loop.py",
            default="managed",
            modules=("self.model", "self.trainer.model", "model"),
        )
        for name in names("AMPTrainer DefaultTrainer HookBase SimpleTrainer TrainerBase")
    ),
    Framework(
        "composer.ComposerModel",
        module=True,
        hooks=_hooks(evaluate="eval_forward update_metric", managed="forward loss"),
        why="the Trainer sets the mode of the model in its training and evaluation loops",
        link="https://docs.mosaicml.com/projects/composer/en/stable/composer_model.html",
    ),
    *(
        Framework(
            f"torchtnt.framework.{name}",
            module=False,
            hooks=_hooks(train="train_step", evaluate="eval_step predict_step", managed="compute_loss"),
            why="train, evaluate and predict set the mode of the unit's modules, and restore it",
            link=TORCHTNT,
            modules=("self.module", "self"),
        )
        for name in names("AutoUnit EvalUnit PredictUnit TrainUnit auto_unit.AutoUnit unit.TrainUnit unit.EvalUnit")
    ),
    Framework(
        "allennlp.models.Model",
        module=True,
        hooks=_hooks(managed="forward make_output_human_readable get_metrics", evaluate="forward_on_instance forward_on_instances"),
        why="the trainer calls train() and eval() on the model",
        link="https://github.com/allenai/allennlp/blob/main/allennlp/training/gradient_descent_trainer.py",
    ),
    *(
        Framework(
            f"ultralytics.engine.{name}",
            module=False,
            hooks={},
            why="the trainer calls model.train() each epoch, the validator and the predictor work in eval mode",
            link="https://docs.ultralytics.com/reference/engine/trainer",
            default="managed",
            modules=("self.model", "model"),
        )
        for name in names("trainer.BaseTrainer validator.BaseValidator predictor.BasePredictor model.Model")
    ),
    *(
        Framework(
            f"recbole.model.abstract_recommender.{name}",
            module=True,
            hooks=_hooks(train="calculate_loss", evaluate="full_sort_predict predict", managed="forward"),
            why="the trainer calls model.train() before each epoch, model.eval() before each evaluation",
            link="https://github.com/RUCAIBox/RecBole/blob/master/recbole/trainer/trainer.py",
        )
        for name in names("AbstractRecommender ContextRecommender GeneralRecommender KnowledgeRecommender SequentialRecommender")
    ),
    *(
        Framework(
            f"stable_baselines3.{name}",
            module=module,
            hooks=_hooks(managed="forward evaluate_actions get_distribution predict_values _predict"),
            why="`set_training_mode` is called before rollouts (false) and updates (true)",
            link="https://github.com/DLR-RM/stable-baselines3/blob/master/stable_baselines3/common/policies.py",
            modules=("self", "self.policy"),
        )
        for name, module in (
            ("common.policies.BasePolicy", True),
            ("common.policies.ActorCriticPolicy", True),
            ("common.torch_layers.BaseFeaturesExtractor", True),
        )
    ),
    *(
        Framework(
            f"monai.engines.{name}",
            module=False,
            hooks={},
            why="the trainer iterates in train mode, the evaluator in eval mode",
            link="https://docs.monai.io/en/stable/engines.html",
            default="managed",
            modules=("self.network", "engine.network"),
        )
        for name in names("""
            AdversarialTrainer EnsembleEvaluator Evaluator GanTrainer SupervisedEvaluator SupervisedTrainer Trainer Workflow
        """)
    ),
)  # fmt: skip

MODEL = Parameter("model", 0, required=True)
RUNNER_LEAVES: tuple[tuple[str, Mode], ...] = (("train", "unknown"), ("val", "eval"), ("test", "eval"))
CATALYST_LEAVES: tuple[tuple[str, Mode], ...] = (
    ("train", "unknown"),
    ("evaluate_loader", "eval"),
    ("predict_loader", "eval"),
)
RESTORES = "calls eval(), and restores the mode after"

FRAMEWORK_CALLS = (
    *(
        FrameworkCall(
            f"ultralytics.{family}.{method}",
            None,
            "unknown",
            method == "train",
            f"its {method} sets the mode it needs",
            ULTRALYTICS,
        )
        for family in names("YOLO RTDETR YOLOE YOLOWorld FastSAM NAS SAM")
        for method in names("train val predict track export tune benchmark")
    ),
    *(
        FrameworkCall(name, MODEL, None, False, why, link)
        for name, why, link in (
            ("detectron2.evaluation.inference_on_dataset", RESTORES, f"{DETECTRON}/evaluation/evaluator.py"),
            ("thop.profile", RESTORES, "https://github.com/Lyken17/pytorch-OpCounter/blob/master/thop/profile.py"),
            ("torchinfo.summary", f"{RESTORES}, unless told otherwise", "https://github.com/TylerYep/torchinfo"),
            (
                "torch.utils.tensorboard.SummaryWriter.add_graph",
                RESTORES,
                "https://github.com/pytorch/pytorch/blob/main/torch/utils/tensorboard/_pytorch_graph.py",
            ),
        )
    ),
    *(
        FrameworkCall(
            f"mmengine.runner.Runner.{method}", None, leaves, method == "train", MM_LOOPS, f"{MMENGINE}/runner/loops.py"
        )
        for method, leaves in RUNNER_LEAVES
    ),
    *(
        FrameworkCall(
            f"catalyst.dl.{family}.{method}",
            Parameter("model", None),
            leaves,
            method == "train",
            "sets the mode of the model by the name of the loader, and in predict_loader",
            "https://github.com/catalyst-team/catalyst/blob/master/catalyst/runners/runner.py",
        )
        for family in names("Runner SupervisedRunner")
        for method, leaves in CATALYST_LEAVES
    ),
    FrameworkCall(
        "detectron2.engine.DefaultTrainer.test",
        Parameter("model", 1, required=True),
        None,
        False,
        RESTORES,
        f"{DETECTRON}/engine/defaults.py",
    ),
    FrameworkCall(
        "detectron2.engine.DefaultTrainer.train",
        None,
        "train",
        True,
        "trains in train mode; evaluations restore it",
        f"{DETECTRON}/engine/train_loop.py",
    ),
    *(
        FrameworkCall(
            f"fvcore.nn.precise_bn.{name}",
            MODEL,
            None,
            False,
            "runs the model in train mode, which it must have, to renew its batch statistics",
            "https://github.com/facebookresearch/fvcore/blob/main/fvcore/nn/precise_bn.py",
        )
        for name in ("update_bn_stats",)
    ),
    *(
        FrameworkCall(
            name,
            Parameter("models", 0, required=True),
            "eval",
            False,
            "calls eval() on the models, and leaves them so",
            link,
        )
        for name, link in (("fairseq.sequence_generator.SequenceGenerator", f"{FAIRSEQ}/sequence_generator.py"),)
    ),
    *(
        FrameworkCall(name, MODEL, "eval", False, "calls eval() on the model, and leaves it so", link)
        for name, link in (
            ("ptflops.get_model_complexity_info", "https://github.com/sovrasov/flops-counter.pytorch"),
            (
                "pytorch_grad_cam.[A-Z]*",
                "https://github.com/jacobgil/pytorch-grad-cam/blob/master/pytorch_grad_cam/base_cam.py",
            ),
        )
    ),
    FrameworkCall(
        "torch.optim.swa_utils.update_bn",
        Parameter("model", 1, required=True),
        None,
        False,
        "runs the model in train mode to renew its batch statistics, and restores the mode",
        "https://github.com/pytorch/pytorch/blob/main/torch/optim/swa_utils.py",
    ),
)

RUNNERS = (
    Runner(
        "monai.inferers.sliding_window_inference",
        Parameter("predictor", 3, required=True),
        "calls the predictor on each window",
        "https://docs.monai.io/en/stable/inferers.html",
    ),
    Runner(
        "monai.inferers.[A-Z]*Inferer.__call__",
        Parameter("network", 1, required=True),
        "calls the network, on windows, patches or slices of the input",
        "https://docs.monai.io/en/stable/inferers.html",
    ),
    Runner(
        "torchsummary.summary",
        MODEL,
        "calls the model once, in the mode it has",
        "https://github.com/sksq96/pytorch-summary/blob/master/torchsummary/torchsummary.py",
    ),
    Runner(
        "deepspeed.checkpointing.checkpoint",
        Parameter("function", 0, required=True),
        "calls the function, and again in the backward",
        "https://deepspeed.readthedocs.io/en/latest/activation-checkpointing.html",
    ),
)

MODES: tuple[Mode, ...] = ("train", "eval")

MODE_MANAGERS = (
    ModeManager(
        "monai.networks.eval_mode",
        Parameter("nets", 0, required=True),
        "eval",
        restores=True,
        why="puts the nets in eval mode without gradients, and back to train those that were",
        link=MONAI,
        many=True,
        gradients_off=True,
    ),
    ModeManager(
        "monai.networks.train_mode",
        Parameter("nets", 0, required=True),
        "train",
        restores=True,
        why="puts the nets in train mode with gradients, and back to eval those that were",
        link=MONAI,
        many=True,
    ),
    ModeManager(
        "detectron2.evaluation.inference_context",
        MODEL,
        "eval",
        restores=True,
        why="puts the model in eval mode, and back in its former mode",
        link=f"{DETECTRON}/evaluation/evaluator.py",
    ),
    *(
        ModeManager(
            f"torch.ao.quantization.move_exported_model_to_{mode}",
            MODEL,
            mode,
            restores=False,
            why="switches the layers of an exported model, whose train() and eval() raise",
            link="https://docs.pytorch.org/docs/stable/quantization.html",
        )
        for mode in MODES
    ),
)

BRAIN: tuple[tuple[str, Mode, Mode], ...] = (("fit", "train", "unknown"), ("evaluate", "eval", "eval"))

SELF_MODING = (
    *(
        SelfModing(f"skorch.{family}.{method}", "eval", "eval", "sets the mode of all modules to eval", SKORCH)
        for family in SKORCH_NETS
        for method in names("forward forward_iter predict predict_proba score trim_for_prediction")
    ),
    *(
        SelfModing(
            f"skorch.{family}.{method}", "train", "unknown", "trains in train mode, and validates between", SKORCH
        )
        for family in SKORCH_NETS
        for method in names("fit fit_loop partial_fit")
    ),
    *(
        SelfModing(f"speechbrain.Brain.{method}", mode, leaves, "sets the mode of its modules by stage", SPEECHBRAIN)
        for method, mode, leaves in BRAIN
    ),
)

SAME = "defined there, and exported under the shorter name"
ALIASES = (
    Alias("skorch.net", "skorch", SAME, SKORCH),
    Alias("skorch.classifier", "skorch", SAME, SKORCH),
    Alias("skorch.regressor", "skorch", SAME, SKORCH),
    Alias("skorch.callbacks.base", "skorch.callbacks", SAME, SKORCH),
    Alias(
        "catalyst.runners",
        "catalyst.dl",
        SAME,
        "https://github.com/catalyst-team/catalyst/blob/master/catalyst/dl/__init__.py",
        skip=1,
    ),
    Alias(
        "catalyst.core",
        "catalyst.dl",
        SAME,
        "https://github.com/catalyst-team/catalyst/blob/master/catalyst/dl/__init__.py",
        skip=1,
    ),
    Alias("monai.engines.trainer", "monai.engines", SAME, MONAI),
    Alias("monai.engines.evaluator", "monai.engines", SAME, MONAI),
    Alias("monai.engines.workflow", "monai.engines", SAME, MONAI),
    Alias("monai.inferers.inferer", "monai.inferers", SAME, MONAI),
    Alias("monai.inferers.utils", "monai.inferers", SAME, MONAI),
    Alias("mmengine.runner.runner", "mmengine.runner", SAME, f"{MMENGINE}/runner/__init__.py"),
    Alias("ultralytics.models.yolo.model", "ultralytics", SAME, ULTRALYTICS),
    Alias("ultralytics.models", "ultralytics", SAME, ULTRALYTICS),
    Alias("speechbrain.core", "speechbrain", SAME, SPEECHBRAIN),
    Alias("monai.networks.utils", "monai.networks", SAME, MONAI),
    Alias("detectron2.evaluation.evaluator", "detectron2.evaluation", SAME, f"{DETECTRON}/evaluation/__init__.py"),
    Alias("detectron2.engine.train_loop", "detectron2.engine", SAME, f"{DETECTRON}/engine/__init__.py"),
    Alias("detectron2.engine.defaults", "detectron2.engine", SAME, f"{DETECTRON}/engine/__init__.py"),
    Alias("fairseq.criterions.fairseq_criterion", "fairseq.criterions", SAME, f"{FAIRSEQ}/criterions/__init__.py"),
    Alias("fairseq.tasks.fairseq_task", "fairseq.tasks", SAME, f"{FAIRSEQ}/tasks/__init__.py"),
    Alias(
        "tensorboardX",
        "torch.utils.tensorboard",
        "the package from which it came",
        "https://tensorboardx.readthedocs.io",
    ),
    *(
        Alias(
            old,
            f"allennlp.models.{new}",
            SAME,
            "https://github.com/allenai/allennlp/blob/main/allennlp/models/__init__.py",
        )
        for old, new in (("allennlp.models.model.Model", "Model"),)
    ),
)

TABLE = Table(
    frameworks=FRAMEWORKS,
    framework_calls=FRAMEWORK_CALLS,
    runners=RUNNERS,
    mode_managers=MODE_MANAGERS,
    self_moding=SELF_MODING,
    aliases=ALIASES,
)
