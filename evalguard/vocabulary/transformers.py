"""The Hugging Face libraries of models: transformers, diffusers, peft, sentence-transformers.

One fact rules here: `from_pretrained` returns a model in eval mode, and `from_config`, or the class itself, one in train
mode. `Trainer` sets the mode itself before each step and each evaluation, and leaves whatever it set last.
"""

from __future__ import annotations

from typing import Final

from evalguard.vocabulary.terms import (
    Alias,
    Factory,
    ForwardMethod,
    Framework,
    FrameworkCall,
    Mode,
    ModuleClass,
    Optimizer,
    Ordinary,
    Parameter,
    Rule,
    Scheduler,
    SelfModing,
    Table,
    Wrapper,
    names,
)

DOCS = "https://huggingface.co/docs/transformers/main/en"
SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers"
DIFFUSERS = "https://github.com/huggingface/diffusers/blob/main/src/diffusers"
PEFT = "https://github.com/huggingface/peft/blob/main/src/peft"
TRL = "https://github.com/huggingface/trl/blob/main/trl"
SENTENCES = "https://github.com/UKPLab/sentence-transformers/blob/master/sentence_transformers"

EVALUATED = "ends with model.eval(): dropout is off until somebody calls train()"
BUILT = "builds the module from a configuration, as its class does: train mode"
MODEL_PAGE = f"{DOCS}/main_classes/model"

FACTORIES = (
    Factory("transformers.**.from_pretrained", "eval", EVALUATED, MODEL_PAGE),
    Factory("transformers.**.from_config", "train", BUILT, f"{DOCS}/model_doc/auto"),
    Factory("transformers.**._from_config", "train", BUILT, f"{SOURCE}/modeling_utils.py"),
    Factory(
        "transformers.pipeline",
        "eval",
        "loads its model by from_pretrained, and runs it without gradients",
        f"{DOCS}/main_classes/pipelines",
        part="attributes",
    ),
    Factory("pytorch_transformers.**.from_pretrained", "eval", EVALUATED, MODEL_PAGE),
    Factory(
        "pytorch_pretrained_bert.**.from_pretrained",
        "train",
        "loads weights, and does not switch: eval() came with pytorch_transformers 1.0",
        f"{DOCS}/migration",
    ),
    Factory(
        "diffusers.**.from_pretrained",
        "eval",
        EVALUATED,
        f"{DIFFUSERS}/models/modeling_utils.py",
    ),
    Factory(
        "diffusers.**.from_single_file",
        "eval",
        EVALUATED,
        f"{DIFFUSERS}/loaders/single_file_model.py",
    ),
    Factory("diffusers.**.from_config", "train", BUILT, f"{DIFFUSERS}/configuration_utils.py"),
    *(
        Factory(
            f"diffusers.**{kind}.{method}",
            "eval",
            "a pipeline is no module; the models it holds are loaded in eval mode",
            f"{DIFFUSERS}/pipelines/pipeline_utils.py",
            part="attributes",
        )
        for kind in ("Pipeline", "PipelineForText2Image", "PipelineForImage2Image", "PipelineForInpainting")
        for method in ("from_pretrained", "from_single_file", "from_pipe")
    ),
    Factory(
        "peft.AutoPeftModel*.from_pretrained",
        "eval",
        "loads the adapter, then calls eval() unless it is to be trained",
        f"{PEFT}/peft_model.py",
        unless=Rule(Parameter("is_trainable", 2, False)),
    ),
    *(
        Factory(
            f"trl.AutoModelFor{kind}WithValueHead.from_pretrained",
            "unknown",
            "holds a model in eval mode below a value head, with a dropout, in train mode",
            f"{TRL}/experimental/ppo/modeling_value_head.py",
        )
        for kind in ("CausalLM", "Seq2SeqLM")
    ),
    Factory(
        "sentence_transformers.[A-Z]*",
        "unknown",
        "holds a transformer in eval mode below modules in train mode; encode() calls eval()",
        f"{SENTENCES}/SentenceTransformer.py",
    ),
)

DROPPING_FAMILIES: Final = frozenset(
    """
    Albert Bart Bert BertGeneration BigBird Camembert Data2VecText Deberta DebertaV2 DistilBert Electra Ernie Flaubert GPT2 Hubert
    Longformer MBart MPNet MT5 OpenAIGPT Pegasus Roberta SEWD T5 UMT5 UniSpeech Wav2Vec2 WavLM XLM XLMRoberta XLNet
    """.split()
)
"""Families whose configurations drop by default (`hidden_dropout_prob`, `dropout_rate`, `dropout`, ... of 0.1): in train
mode their outputs are random. Those of CLIP, ViT, Llama and others do not. Source: `configuration_*.py` under
https://github.com/huggingface/transformers/tree/main/src/transformers/models."""

DEAF_PARTS: Final = frozenset({"feature_extractor"})
"""Parts of models of transformers and fairseq without layers that depend on the mode: the convolutions of Wav2Vec2 and its kin
(https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/modeling_wav2vec2.py)."""

MODULE_CLASSES = (
    *(
        ModuleClass(f"{library}.**{shape}", "a model or a part of one", f"{SOURCE}/modeling_utils.py")
        for library in ("transformers", "pytorch_transformers", "pytorch_pretrained_bert")
        for shape in ("Model", "PreTrainedModel", "[A-Z]*For[A-Z]*")
    ),
    ModuleClass("transformers.models.**Layer", "a part of a model", f"{SOURCE}/modeling_utils.py"),
    ModuleClass("transformers.models.**Encoder", "a part of a model", f"{SOURCE}/modeling_utils.py"),
    ModuleClass("transformers.models.**Decoder", "a part of a model", f"{SOURCE}/modeling_utils.py"),
    ModuleClass("diffusers.**Model", "a model", f"{DIFFUSERS}/models/modeling_utils.py"),
    ModuleClass("diffusers.**ModelMixin", "the base of the models", f"{DIFFUSERS}/models/modeling_utils.py"),
    ModuleClass(
        "diffusers.AutoencoderKL",
        "group norms, and no dropout",
        f"{DIFFUSERS}/models/autoencoders/autoencoder_kl.py",
        layers=(),
    ),
)

NO_MODULE = "loads no module"
ORDINARY = (
    *(
        Ordinary(f"transformers.{shape}", why, f"{SOURCE}/__init__.py")
        for shape, why in (
            ("TF[A-Z]**", "TensorFlow"),
            ("Flax[A-Z]**", "JAX"),
            ("**.modeling_tf_**", "TensorFlow"),
            ("**.modeling_flax_**", "JAX"),
            ("DataCollatorFor*", "makes batches"),
            ("**.DataCollatorFor*", "makes batches"),
        )
    ),
    *(
        Ordinary(f"{library}.**{kind}.from_pretrained", NO_MODULE, f"{DOCS}/main_classes/{page}")
        for library in ("transformers", "pytorch_transformers", "pytorch_pretrained_bert")
        for kind, page in (
            ("Tokenizer*", "tokenizer"),
            ("Config", "configuration"),
            ("Processor*", "processors"),
            ("FeatureExtractor", "feature_extractor"),
            ("ModelCard", "model"),
        )
    ),
    *(
        Ordinary(f"transformers.{kind}*.{method}", "a TensorFlow or JAX model", MODEL_PAGE)
        for kind in ("TF", "Flax")
        for method in ("from_pretrained", "from_config")
    ),
    *(
        Ordinary(f"diffusers.**{kind}.{method}", NO_MODULE, f"{DIFFUSERS}/schedulers/scheduling_utils.py")
        for kind in ("Scheduler*", "ImageProcessor", "Flax*")
        for method in ("from_pretrained", "from_config")
    ),
)

MODEL = Parameter("model", 0, required=True)
ADAPTER = Parameter("is_trainable", 3, False)

WRAPPERS = (
    Wrapper(
        "peft.get_peft_model",
        MODEL,
        "shares",
        "puts adapters into the model and holds it; the adapters begin in train mode",
        f"{PEFT}/mapping_func.py",
        attribute="base_model",
    ),
    Wrapper(
        "peft.PeftModel*.from_pretrained",
        MODEL,
        "shares",
        "holds the model with adapters, then calls eval() unless they are to be trained",
        f"{PEFT}/peft_model.py",
        mode="eval",
        attribute="base_model",
        unless=Rule(ADAPTER),
    ),
    Wrapper(
        "peft.PeftModel*",
        MODEL,
        "shares",
        "holds the model with adapters",
        f"{PEFT}/peft_model.py",
        attribute="base_model",
    ),
    *(
        Wrapper(
            f"peft.{name}",
            MODEL,
            "same",
            "casts and freezes the parameters, and returns the model",
            f"{PEFT}/utils/other.py",
        )
        for name in ("prepare_model_for_kbit_training", "prepare_model_for_int8_training")
    ),
    Wrapper(
        "peft.inject_adapter_in_model",
        Parameter("model", 1, required=True),
        "same",
        "puts adapters into the model and returns it",
        f"{PEFT}/mapping.py",
    ),
    Wrapper(
        "trl.create_reference_model",
        MODEL,
        "copy",
        "copies the model, and puts the copy in eval mode",
        f"{TRL}/models/utils.py",
        mode="eval",
    ),
    *(
        Wrapper(
            f"trl.models.utils.prepare_{engine}",
            MODEL,
            "same",
            "shards a reference model, and puts it in eval mode",
            f"{TRL}/models/utils.py",
            mode="eval",
        )
        for engine in ("deepspeed", "fsdp")
    ),
    Wrapper(
        "diffusers.training_utils.EMAModel",
        Parameter("parameters", 0, required=True),
        "copy",
        "keeps copies of the parameters, no module",
        f"{DIFFUSERS}/training_utils.py",
    ),
)

PARAMETERS = Parameter("params", 0, required=True)
OPTIMIZERS = (
    *(
        Optimizer(
            f"transformers.{name}", PARAMETERS, "an optimizer of the parameters given", f"{SOURCE}/optimization.py"
        )
        for name in ("AdamW", "Adafactor")
    ),
    *(
        Optimizer(f"{library}.{name}", PARAMETERS, "an optimizer of the parameters given", f"{DOCS}/migration")
        for library, name in (
            ("pytorch_transformers", "AdamW"),
            ("pytorch_pretrained_bert", "BertAdam"),
            ("pytorch_pretrained_bert", "OpenAIAdam"),
        )
    ),
)

OPTIMIZER_FIRST = Parameter("optimizer", 0, required=True)
SCHEDULERS = (
    *(
        Scheduler(f"transformers.{name}", "its step changes the learning rate", f"{SOURCE}/optimization.py")
        for name in (
            *("get_constant_schedule", "get_constant_schedule_with_warmup", "get_cosine_schedule_with_warmup"),
            *("get_cosine_with_hard_restarts_schedule_with_warmup", "get_inverse_sqrt_schedule"),
            *("get_linear_schedule_with_warmup", "get_polynomial_decay_schedule_with_warmup", "get_wsd_schedule"),
            *("get_reduce_on_plateau_schedule", "get_cosine_with_min_lr_schedule_with_warmup"),
        )
    ),
    *(
        Scheduler(
            f"{library}.get_scheduler",
            "its step changes the learning rate",
            link,
            Parameter("optimizer", 1, required=True),
        )
        for library, link in (
            ("transformers", f"{SOURCE}/optimization.py"),
            ("diffusers.optimization", f"{DIFFUSERS}/optimization.py"),
        )
    ),
    *(
        Scheduler(
            f"diffusers.optimization.get_{name}", "its step changes the learning rate", f"{DIFFUSERS}/optimization.py"
        )
        for name in (
            *("constant_schedule", "constant_schedule_with_warmup", "cosine_schedule_with_warmup"),
            *("cosine_with_hard_restarts_schedule_with_warmup", "linear_schedule_with_warmup"),
            *("piecewise_constant_schedule", "polynomial_decay_schedule_with_warmup"),
        )
    ),
    *(
        Scheduler(f"pytorch_transformers.{name}", "its step changes the learning rate", f"{DOCS}/migration")
        for name in ("WarmupLinearSchedule", "WarmupCosineSchedule", "WarmupConstantSchedule")
    ),
    Scheduler(
        "diffusers.**Scheduler",
        "its step takes one step of the denoising, and holds no optimizer",
        f"{DIFFUSERS}/schedulers/scheduling_utils.py",
        Parameter("num_train_timesteps", None),
    ),
)

TRAINER_SETS = "training_step calls model.train(), the evaluation loop model.eval(), before they use the model"
TRAINER_NAMES = names("""
    transformers.Trainer transformers.Seq2SeqTrainer trl.**[A-Z]*Trainer
    sentence_transformers.SentenceTransformerTrainer sentence_transformers.CrossEncoderTrainer setfit.Trainer
    adapters.AdapterTrainer optimum.onnxruntime.ORTTrainer
""")
FRAMEWORKS = (
    *(
        Framework(
            name,
            module=False,
            hooks={"prediction_step": "eval"},
            why=TRAINER_SETS,
            link=f"{SOURCE}/trainer.py",
            default="managed",
            modules=("model", "self.model", "self.model_wrapped"),
        )
        for name in TRAINER_NAMES
    ),
    Framework(
        "transformers.TrainerCallback",
        module=False,
        hooks={},
        why="called by the Trainer between steps, in the mode that it set",
        link=f"{SOURCE}/trainer_callback.py",
        default="managed",
        modules=("model",),
    ),
)

LEAVES: tuple[tuple[str, Mode, bool], ...] = (
    ("train", "unknown", True),
    ("evaluate", "eval", False),
    ("predict", "eval", False),
)

FRAMEWORK_CALLS = (
    *(
        FrameworkCall(f"{name}.{method}", None, leaves, trains, TRAINER_SETS, f"{SOURCE}/trainer.py")
        for name in TRAINER_NAMES
        for method, leaves, trains in LEAVES
    ),
    FrameworkCall(
        "trl.PPOTrainer.step",
        None,
        "unknown",
        True,
        "before 0.12: runs the model without gradients, then trains it",
        f"{TRL}/trainer/ppo_trainer.py",
    ),
)

FORWARD_METHODS = (
    ForwardMethod("generate", "runs the model once for each new token", f"{DOCS}/main_classes/text_generation"),
    *(
        ForwardMethod(name, "the search loops of generate", f"{SOURCE}/generation/utils.py")
        for name in ("beam_search", "greedy_search", "sample", "contrastive_search")
    ),
    *(
        ForwardMethod(name, "runs one tower of the model", f"{SOURCE}/models/clip/modeling_clip.py", unproved=True)
        for name in ("get_image_features", "get_text_features", "get_audio_features", "get_qformer_features")
    ),
    ForwardMethod(
        "predict_noise",
        "runs the denoising network",
        f"{DIFFUSERS}/pipelines/pipeline_utils.py",
    ),
)

SELF_MODING = (
    *(
        SelfModing(f"sentence_transformers.{name}.{method}", "eval", "eval", "calls self.eval() first", link)
        for name, method, link in (
            ("SentenceTransformer", "encode", f"{SENTENCES}/SentenceTransformer.py"),
            ("SentenceTransformer", "encode_query", f"{SENTENCES}/SentenceTransformer.py"),
            ("SentenceTransformer", "encode_document", f"{SENTENCES}/SentenceTransformer.py"),
            ("CrossEncoder", "predict", f"{SENTENCES}/cross_encoder/CrossEncoder.py"),
            ("CrossEncoder", "rank", f"{SENTENCES}/cross_encoder/CrossEncoder.py"),
            ("SparseEncoder", "encode", f"{SENTENCES}/sparse_encoder/SparseEncoder.py"),
        )
    ),
    SelfModing(
        "sentence_transformers.SentenceTransformer.fit",
        "train",
        "unknown",
        "trains in train mode, and evaluates between",
        f"{SENTENCES}/fit_mixin.py",
    ),
)

REEXPORTED = "defined there, and exported under the shorter name"
ALIASES = (
    *(
        Alias(f"transformers.{module}", "transformers", REEXPORTED, f"{SOURCE}/__init__.py")
        for module in ("optimization", "trainer", "trainer_callback", "trainer_seq2seq")
    ),
    *(
        Alias(f"peft.{module}", "peft", REEXPORTED, f"{PEFT}/__init__.py")
        for module in ("mapping", "mapping_func", "peft_model", "auto", "utils.other")
    ),
    Alias("trl.models.create_reference_model", "trl.create_reference_model", REEXPORTED, f"{TRL}/__init__.py"),
    Alias("trl.trainer", "trl", REEXPORTED, f"{TRL}/trainer/__init__.py", skip=1),
)

TABLE = Table(
    factories=FACTORIES,
    module_classes=MODULE_CLASSES,
    ordinary=ORDINARY,
    wrappers=WRAPPERS,
    optimizers=OPTIMIZERS,
    schedulers=SCHEDULERS,
    frameworks=FRAMEWORKS,
    framework_calls=FRAMEWORK_CALLS,
    forward_methods=FORWARD_METHODS,
    self_moding=SELF_MODING,
    aliases=ALIASES,
)
