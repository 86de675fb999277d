"""torchvision: builders, which return modules in train mode whether pretrained or not, and the layers of `ops`."""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Factory,
    Functional,
    Layer,
    ModuleClass,
    Ordinary,
    Parameter,
    Rule,
    Table,
    Wrapper,
)

DOCS = "https://docs.pytorch.org/vision/stable"
SOURCE = "https://github.com/pytorch/vision/blob/main/torchvision"

BUILDS = "builds a module and loads weights into it; neither switches it to eval"
QUANTIZED = "quantize_model calls eval() if the builder is asked to quantize, else it stays in train mode"
NO_MODULE = "returns names or weights, no module"

INSIDE: dict[str, tuple[str, ...]] = {
    "alexnet": ("Dropout",),
    "squeezenet": ("Dropout",),
    "vgg": ("Dropout",),
    "vgg_bn": ("BatchNorm2d", "Dropout"),
    "resnet": ("BatchNorm2d",),
    "densenet": ("BatchNorm2d",),
    "googlenet": ("BatchNorm2d", "Dropout"),
    "inception_v3": ("BatchNorm2d", "Dropout"),
    "shufflenet_v2": ("BatchNorm2d",),
    "mobilenet": ("BatchNorm2d", "Dropout"),
    "mnasnet": ("BatchNorm2d", "Dropout"),
    "efficientnet": ("BatchNorm2d", "Dropout", "StochasticDepth"),
    "regnet": ("BatchNorm2d",),
    "convnext": ("StochasticDepth",),
    "swin": ("StochasticDepth",),
    "maxvit": ("BatchNorm2d", "StochasticDepth"),
}
"""The mode-dependent layers in the modules of each family, as built by default."""

PARTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "alexnet": (("features", ()),),
    "squeezenet": (("features", ()),),
    "vgg": (("features", ()),),
    "vgg_bn": (("features", ("BatchNorm2d",)),),
}
"""The same for parts that are often used alone: in these families the dropout is in the classifier."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "alexnet": ("alexnet",),
    "squeezenet": ("squeezenet1_0", "squeezenet1_1"),
    "vgg": ("vgg11", "vgg13", "vgg16", "vgg19"),
    "vgg_bn": ("vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"),
    "resnet": (
        *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
        *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
    ),
    "densenet": ("densenet121", "densenet161", "densenet169", "densenet201"),
    "googlenet": ("googlenet",),
    "inception_v3": ("inception_v3",),
    "shufflenet_v2": tuple(f"shufflenet_v2_{size}" for size in ("x0_5", "x1_0", "x1_5", "x2_0")),
    "mobilenet": ("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"),
    "mnasnet": ("mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    "efficientnet": (
        *(f"efficientnet_b{size}" for size in range(8)),
        *(f"efficientnet_v2_{size}" for size in "sml"),
    ),
    "regnet": (
        *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf", "128gf")),
        *(f"regnet_x_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    ),
    "convnext": tuple(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
    "swin": tuple(f"swin_{size}" for size in ("t", "s", "b", "v2_t", "v2_s", "v2_b")),
    "maxvit": ("maxvit_t",),
}

FACTORIES = (
    *(
        Factory(
            f"torchvision.models.{name}",
            "train",
            BUILDS,
            f"{DOCS}/models.html",
            layers=INSIDE[family],
            parts=PARTS.get(family, ()),
        )
        for family, names in FAMILIES.items()
        for name in names
    ),
    *(
        Factory(
            f"torchvision.models.vit_{size}",
            "train",
            f"{BUILDS}; its dropout probabilities are 0 by default",
            f"{SOURCE}/models/vision_transformer.py",
            layers=(),
        )
        for size in ("b_16", "b_32", "l_16", "l_32", "h_14")
    ),
    *(
        Factory(f"torchvision.models{below}.[a-z]*", "train", BUILDS, f"{DOCS}/models.html")
        for below in (
            *("", ".segmentation", ".detection", ".video", ".optical_flow"),
            *(".segmentation.[a-z]*", ".detection.[a-z]*", ".video.[a-z]*", ".optical_flow.[a-z]*"),
        )
    ),
    Factory("torchvision.models.quantization.[a-z]*", "unknown", QUANTIZED, f"{SOURCE}/models/quantization/utils.py"),
    Factory("torchvision.models.get_model", "train", BUILDS, f"{DOCS}/models.html"),
)

FAMILY_CLASSES: dict[str, tuple[str, ...]] = {
    "AlexNet": INSIDE["alexnet"],
    "ConvNeXt": INSIDE["convnext"],
    "DenseNet": INSIDE["densenet"],
    "EfficientNet": INSIDE["efficientnet"],
    "GoogLeNet": INSIDE["googlenet"],
    "Inception3": INSIDE["inception_v3"],
    "MNASNet": INSIDE["mnasnet"],
    "MobileNetV2": INSIDE["mobilenet"],
    "MobileNetV3": INSIDE["mobilenet"],
    "RegNet": INSIDE["regnet"],
    "ResNet": INSIDE["resnet"],
    "ShuffleNetV2": INSIDE["shufflenet_v2"],
    "SqueezeNet": INSIDE["squeezenet"],
    "SwinTransformer": INSIDE["swin"],
    "VGG": INSIDE["vgg"],
}

MODULE_CLASSES = (
    *(
        ModuleClass(f"torchvision.models.{name}", "the class that the builders build", f"{DOCS}/models.html", layers)
        for name, layers in FAMILY_CLASSES.items()
    ),
    ModuleClass("torchvision.models.**.[A-Z]*", "a class that the builders use", f"{SOURCE}/models/__init__.py"),
    ModuleClass("torchvision.models.[A-Z]*", "a class that the builders use", f"{SOURCE}/models/__init__.py"),
    ModuleClass("torchvision.ops.[A-Z]*", "a layer", f"{SOURCE}/ops/__init__.py"),
)

ORDINARY = (
    Ordinary("torchvision.datasets.**", "data sets", f"{DOCS}/datasets.html"),
    *(
        Ordinary(f"torchvision.models.{name}", NO_MODULE, f"{DOCS}/models.html")
        for name in (
            *("get_model_builder", "get_model_weights", "get_weight", "list_models"),
            *("detection.**.[a-z]*_loss", "detection._utils.[a-z]*", "detection.roi_heads.[a-z]*"),
            *("feature_extraction.get_graph_node_names", "**_Weights", "Weights", "WeightsEnum"),
        )
    ),
)

DROP_PATH = "drops whole samples' branches at random in train mode"
DROP_BLOCK = "zeroes random blocks in train mode"
FLAG_AT_2 = Parameter("training", 2, True)

LAYERS = (
    Layer(
        "torchvision.ops.StochasticDepth",
        "always",
        DROP_PATH,
        f"{SOURCE}/ops/stochastic_depth.py",
        (Rule(Parameter("p", 0, required=True)),),
    ),
    *(
        Layer(
            f"torchvision.ops.DropBlock{size}",
            "always",
            DROP_BLOCK,
            f"{SOURCE}/ops/drop_block.py",
            (Rule(Parameter("p", 0, required=True)),),
        )
        for size in ("2d", "3d")
    ),
    Layer(
        "torchvision.ops.FrozenBatchNorm2d",
        "never",
        "normalises by fixed buffers in both modes",
        f"{SOURCE}/ops/misc.py",
    ),
    *(
        Layer(
            f"torchvision.ops.Conv{size}NormActivation",
            "always",
            f"holds a BatchNorm{size} unless given another norm_layer",
            f"{SOURCE}/ops/misc.py",
        )
        for size in ("2d", "3d")
    ),
    Layer(
        "torchvision.ops.MLP",
        "argument",
        "ends every layer in a Dropout, whose default is 0",
        f"{SOURCE}/ops/misc.py",
        (Rule(Parameter("dropout", 6, 0.0)),),
    ),
    *(
        Layer(f"torchvision.ops.{name}", "never", "computes the same in both modes", f"{DOCS}/ops.html")
        for name in (
            *("DeformConv2d", "FeaturePyramidNetwork", "MultiScaleRoIAlign", "PSRoIAlign", "PSRoIPool", "Permute"),
            *("RoIAlign", "RoIPool", "SqueezeExcitation"),
        )
    ),
)

FUNCTIONALS = (
    Functional(
        "torchvision.ops.stochastic_depth",
        Parameter("training", 3, True),
        DROP_PATH,
        f"{SOURCE}/ops/stochastic_depth.py",
        (Rule(Parameter("p", 1, required=True)),),
    ),
    *(
        Functional(
            f"torchvision.ops.drop_block{size}",
            Parameter("training", 5, True),
            DROP_BLOCK,
            f"{SOURCE}/ops/drop_block.py",
            (Rule(Parameter("p", 1, required=True)),),
        )
        for size in ("2d", "3d")
    ),
)

WRAPPERS = (
    Wrapper(
        "torchvision.models._utils.IntermediateLayerGetter",
        Parameter("model", 0, required=True),
        "shares",
        "holds the children of the model up to the last layer asked for",
        f"{SOURCE}/models/_utils.py",
    ),
    Wrapper(
        "torchvision.models.feature_extraction.create_feature_extractor",
        Parameter("model", 0, required=True),
        "shares",
        "traces the model in both modes, restores its mode, and returns a graph over the same submodules in it",
        f"{SOURCE}/models/feature_extraction.py",
    ),
)

EXPORTED = "defined there, and exported under the shorter name"
ALIASES = (
    *(
        Alias(f"torchvision.ops.{module}", "torchvision.ops", EXPORTED, f"{SOURCE}/ops/__init__.py")
        for module in ("misc", "poolers", "deform_conv", "feature_pyramid_network", "roi_align", "roi_pool")
    ),
    *(
        Alias(f"torchvision.models.{module}", "torchvision.models", EXPORTED, f"{SOURCE}/models/__init__.py")
        for module in (
            *("resnet", "vgg", "densenet", "inception", "mobilenetv2", "mobilenetv3", "efficientnet", "shufflenetv2"),
            *("vision_transformer", "swin_transformer", "regnet", "mobilenet", "_api"),
        )
    ),
)

TABLE = Table(
    layers=LAYERS,
    functionals=FUNCTIONALS,
    factories=FACTORIES,
    module_classes=MODULE_CLASSES,
    ordinary=ORDINARY,
    wrappers=WRAPPERS,
    aliases=ALIASES,
)
