"""timm: models in train mode, regularising layers, optimizers that take the whole model, averaged copies in eval mode."""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Factory,
    ForwardMethod,
    Functional,
    Layer,
    ModuleClass,
    Optimizer,
    Ordinary,
    Parameter,
    Rule,
    Scheduler,
    Table,
    Wrapper,
)

SOURCE = "https://github.com/huggingface/pytorch-image-models/blob/main/timm"

BUILDS = "builds a module and loads weights into it; neither switches it to eval"
MODEL = Parameter("model", 0, required=True)

FACTORIES = (
    Factory("timm.create_model", "train", BUILDS, f"{SOURCE}/models/_factory.py"),
    Factory("timm.models.create_model", "train", BUILDS, f"{SOURCE}/models/_factory.py"),
    Factory("timm.models.[a-z]*", "train", BUILDS, f"{SOURCE}/models/_builder.py"),
    Factory("timm.models.[a-z]*.[a-z]*", "train", BUILDS, f"{SOURCE}/models/_builder.py"),
)

MODULE_CLASSES = (
    ModuleClass("timm.models.**.[A-Z]*", "a class that the builders use", f"{SOURCE}/models/__init__.py"),
    ModuleClass("timm.models.[A-Z]*", "a class that the builders use", f"{SOURCE}/models/__init__.py"),
    ModuleClass("timm.layers.[A-Z]*", "a layer", f"{SOURCE}/layers/__init__.py"),
    ModuleClass("timm.loss.[A-Z]*", "a loss", f"{SOURCE}/loss/__init__.py", layers=()),
)

ORDINARY = tuple(
    Ordinary(f"timm.models.{name}", "returns no module", f"{SOURCE}/models/__init__.py")
    for name in (
        *("is_model", "list_models", "list_modules", "list_pretrained", "load_checkpoint", "load_pretrained"),
        *(
            "load_state_dict",
            "model_entrypoint",
            "named_apply",
            "register_model",
            "resume_checkpoint",
            "safe_model_name",
        ),
        *(
            "_*.*",
            "**.checkpoint_filter_fn",
            "helpers.*",
            "layers.*",
            "registry.*",
            "is_model_pretrained",
            "get_pretrained_cfg",
            "clean_state_dict",
        ),
        *("get_pretrained_cfg_value", "is_model_in_modules", "checkpoint_seq", "group_parameters", "group_modules"),
    )
)

BATCH_STATISTICS = "normalises by the batch in train mode, by its running statistics in eval mode"
DROP_PATH = "drops whole samples' branches at random in train mode"
LAYERS = (
    Layer(
        "timm.layers.DropPath",
        "argument",
        DROP_PATH,
        f"{SOURCE}/layers/drop.py",
        (Rule(Parameter("drop_prob", 0, 0.0)),),
    ),
    Layer(
        "timm.layers.DropBlock2d",
        "always",
        "zeroes random blocks in train mode",
        f"{SOURCE}/layers/drop.py",
        (Rule(Parameter("drop_prob", 0, 0.1)),),
    ),
    *(
        Layer(
            f"timm.layers.{name}",
            "always",
            "keeps a random part of the tokens in train mode",
            f"{SOURCE}/layers/patch_dropout.py",
            (Rule(Parameter("prob", 0, 0.5)),),
        )
        for name in ("PatchDropout", "PatchDropoutWithIndices")
    ),
    *(
        Layer(f"timm.layers.{name}", "always", BATCH_STATISTICS, f"{SOURCE}/layers/norm_act.py")
        for name in ("BatchNormAct2d", "SyncBatchNormAct")
    ),
    *(
        Layer(f"timm.layers.{name}", "always", BATCH_STATISTICS, f"{SOURCE}/layers/evo_norm.py")
        for name in ("EvoNorm2dB0", "EvoNorm2dB1", "EvoNorm2dB2")
    ),
    Layer("timm.layers.InplaceAbn", "always", BATCH_STATISTICS, f"{SOURCE}/layers/inplace_abn.py"),
    Layer(
        "timm.layers.SplitBatchNorm2d",
        "always",
        "splits the batch over auxiliary batch norms in train mode",
        f"{SOURCE}/layers/split_batchnorm.py",
    ),
    *(
        Layer(
            f"timm.layers.{name}",
            "always",
            "holds a BatchNorm2d unless given another norm_layer",
            f"{SOURCE}/layers/conv_bn_act.py",
        )
        for name in ("ConvNormAct", "ConvNormActAa", "ConvBnAct")
    ),
    *(
        Layer(
            f"timm.layers.{name}",
            "argument",
            "holds two Dropout layers, whose probability is 0 by default",
            f"{SOURCE}/layers/mlp.py",
            (Rule(Parameter("drop", None, 0.0)),),
        )
        for name in ("Mlp", "GluMlp", "SwiGLU", "GatedMlp", "ConvMlp")
    ),
    *(
        Layer(f"timm.layers.{name}", "never", "computes the same in both modes", f"{SOURCE}/layers/__init__.py")
        for name in (
            *("AvgPool2dSame", "Conv2dSame", "EcaModule", "EffectiveSEModule", "EvoNorm2dS0", "EvoNorm2dS0a"),
            *("FrozenBatchNormAct2d", "GroupNorm", "GroupNorm1", "GroupNormAct", "LayerNorm", "LayerNorm2d"),
            *("LayerNormAct", "LayerNormAct2d", "LayerScale", "LayerScale2d", "PatchEmbed", "RmsNorm", "RmsNorm2d"),
            *("SelectAdaptivePool2d", "StdConv2d", "StdConv2dSame", "ScaledStdConv2d"),
        )
    ),
)

FUNCTIONALS = (
    Functional(
        "timm.layers.drop_path",
        Parameter("training", 2, False),
        f"{DROP_PATH}, if its flag is true; the default is false",
        f"{SOURCE}/layers/drop.py",
        (Rule(Parameter("drop_prob", 1, 0.0)),),
    ),
)

AVERAGED = "holds a deep copy of the model, put in eval mode"
WRAPPERS = (
    Wrapper(
        "timm.utils.ModelEma", MODEL, "copy", AVERAGED, f"{SOURCE}/utils/model_ema.py", mode="eval", attribute="ema"
    ),
    *(
        Wrapper(
            f"timm.utils.{name}",
            MODEL,
            "copy",
            AVERAGED,
            f"{SOURCE}/utils/model_ema.py",
            mode="eval",
            attribute="module",
        )
        for name in ("ModelEmaV2", "ModelEmaV3")
    ),
    Wrapper(
        "timm.utils.unwrap_model", MODEL, "same", "returns the module inside the wrapper", f"{SOURCE}/utils/model.py"
    ),
    *(
        Wrapper(
            f"timm.layers.{name}",
            Parameter("module", 0, required=True),
            "same",
            "replaces norm layers inside, and returns the module",
            f"{SOURCE}/layers/norm_act.py",
        )
        for name in ("convert_sync_batchnorm", "freeze_batch_norm_2d", "unfreeze_batch_norm_2d")
    ),
    Wrapper(
        "timm.layers.convert_splitbn_model",
        Parameter("module", 0, required=True),
        "same",
        "replaces batch norms inside, and returns the module",
        f"{SOURCE}/layers/split_batchnorm.py",
    ),
)

OPTIMIZERS = (
    Optimizer(
        "timm.optim.create_optimizer",
        Parameter("model", 1, required=True),
        "makes an optimizer of the model's parameters",
        f"{SOURCE}/optim/_optim_factory.py",
        takes="either",
    ),
    Optimizer(
        "timm.optim.create_optimizer_v2",
        Parameter("model_or_params", 0, required=True),
        "makes an optimizer of the model's parameters, or of those given",
        f"{SOURCE}/optim/_optim_factory.py",
        takes="either",
    ),
    Optimizer(
        "timm.optim.[A-Z]*",
        Parameter("params", 0, required=True),
        "the optimizer classes of the package",
        f"{SOURCE}/optim/__init__.py",
    ),
    Optimizer(
        "timm.optim.Lookahead",
        Parameter("base_optimizer", 0, required=True),
        "steps the optimizer given",
        f"{SOURCE}/optim/lookahead.py",
    ),
)

SCHEDULERS = tuple(
    Scheduler(
        f"timm.scheduler.{name}", "its step changes the learning rate", f"{SOURCE}/scheduler/__init__.py", optimizer
    )
    for name, optimizer in (
        ("[A-Z]*", Parameter("optimizer", 0, required=True)),
        ("create_scheduler", Parameter("optimizer", 1, required=True)),
        ("create_scheduler_v2", Parameter("optimizer", 0, required=True)),
    )
)

FORWARD_METHODS = (
    ForwardMethod(
        "forward_features", "runs all layers before the head", f"{SOURCE}/models/vision_transformer.py", True
    ),
    ForwardMethod(
        "forward_head", "runs the head's layers, its dropout among them", f"{SOURCE}/models/vision_transformer.py", True
    ),
    ForwardMethod(
        "forward_intermediates",
        "runs the layers and returns their outputs",
        f"{SOURCE}/models/vision_transformer.py",
        True,
    ),
)

MOVED = "the former place of the same names"
ALIASES = (
    Alias("timm.models.layers", "timm.layers", MOVED, f"{SOURCE}/models/layers/__init__.py", skip=1),
    *(
        Alias(f"timm.layers.{module}", "timm.layers", MOVED, f"{SOURCE}/layers/__init__.py")
        for module in ("drop", "norm_act", "norm", "patch_dropout", "mlp", "weight_init", "helpers", "split_batchnorm")
    ),
    Alias("timm.utils.model_ema", "timm.utils", MOVED, f"{SOURCE}/utils/__init__.py"),
    Alias("timm.models.factory", "timm.models", MOVED, f"{SOURCE}/models/factory.py"),
    Alias("timm.models._factory", "timm.models", MOVED, f"{SOURCE}/models/__init__.py"),
    Alias("timm.optim.optim_factory", "timm.optim", MOVED, f"{SOURCE}/optim/optim_factory.py"),
    Alias("timm.optim._optim_factory", "timm.optim", MOVED, f"{SOURCE}/optim/__init__.py"),
    *(
        Alias(f"timm.scheduler.{module}", "timm.scheduler", MOVED, f"{SOURCE}/scheduler/__init__.py")
        for module in ("cosine_lr", "step_lr", "multistep_lr", "plateau_lr", "poly_lr", "scheduler_factory", "tanh_lr")
    ),
)

TABLE = Table(
    layers=LAYERS,
    functionals=FUNCTIONALS,
    factories=FACTORIES,
    module_classes=MODULE_CLASSES,
    ordinary=ORDINARY,
    wrappers=WRAPPERS,
    optimizers=OPTIMIZERS,
    schedulers=SCHEDULERS,
    forward_methods=FORWARD_METHODS,
    aliases=ALIASES,
)
