"""PyTorch itself: layers, functions with a `training` flag, gradients, optimizers, wrappers, loading.

Names are the public ones (`torch.nn.Dropout`); the modules in which they are really defined
(`torch.nn.modules.dropout.Dropout`, `torch.optim.adam.Adam`) are aliases.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Backward,
    Factory,
    ForwardMethod,
    Functional,
    Gradients,
    Layer,
    Optimizer,
    Ordinary,
    Parameter,
    Rule,
    Runner,
    Scheduler,
    Step,
    Table,
    Wrapper,
    names,
)

DOCS = "https://docs.pytorch.org/docs/stable"
SOURCE = "https://github.com/pytorch/pytorch/blob/main"

WITHOUT_MODE = names("""
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d AdaptiveMaxPool2d
    AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss Bilinear CELU CTCLoss ChannelShuffle
    CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d
    ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss CrossMapLRN2d ELU
    Embedding EmbeddingBag Flatten Fold GELU GLU GRUCell GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish
    Hardtanh HingeEmbeddingLoss HuberLoss Identity KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d LSTMCell LayerNorm
    LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyLinear LeakyReLU
    Linear LinearCrossEntropyLoss LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d
    MaxUnpool2d MaxUnpool3d Mish MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PReLU
    PairwiseDistance ParameterDict ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNNCell ReLU ReLU6
    ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU SiLU Sigmoid
    SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold
    TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d
    ZeroPad1d ZeroPad2d ZeroPad3d
""")

WITH_PARAMETERS = names("""
    AdaptiveLogSoftmaxWithLoss BatchNorm1d BatchNorm2d BatchNorm3d Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d
    ConvTranspose3d Embedding EmbeddingBag GRU GRUCell GroupNorm LSTM LSTMCell LayerNorm LazyBatchNorm1d LazyBatchNorm2d
    LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyLinear
    Linear LinearCrossEntropyLoss MultiheadAttention PReLU ParameterDict ParameterList RMSNorm RNN RNNBase RNNCell
    SyncBatchNorm Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer
""")
"""The layers that have weights unless they are told otherwise."""

DROPS = "zeroes or drops random elements in train mode, passes its input on in eval mode"
PROBABILITY = (Rule(Parameter("p", 0, 0.5)),)
BATCH_STATISTICS = (
    "in train mode it normalises by the batch and updates its running statistics, in eval mode it uses them"
)
DROPOUT_BETWEEN_LAYERS = (
    "drops outputs between its stacked layers in train mode; without dropout, or with one layer, never"
)
ATTENTION_DROPOUT = "drops in train mode unless its dropout is 0"


def _page(name: str) -> str:
    return f"{DOCS}/generated/{name}.html"


def _never(short: str) -> Layer:
    name = f"torch.nn.{short}"
    return Layer(name, "never", "computes the same in both modes, and keeps no statistics", _page(name))


def _dropout(short: str) -> Layer:
    name = f"torch.nn.{short}"
    return Layer(name, "always", DROPS, _page(name), PROBABILITY, drops_by="p")


def _batch_norm(short: str, tracks_at: int) -> Layer:
    name = f"torch.nn.{short}"
    rules = (Rule(Parameter("track_running_stats", tracks_at, True)),)
    return Layer(name, "always", BATCH_STATISTICS, _page(name), rules, learns_statistics=True)


def _instance_norm(short: str, tracks_at: int, tracks: bool) -> Layer:
    name = f"torch.nn.{short}"
    rules = (Rule(Parameter("track_running_stats", tracks_at, tracks)),)
    why = f"depends on the mode only if it tracks running statistics, which is {'on' if tracks else 'off'} by default"
    return Layer(name, "argument", why, _page(name), rules, learns_statistics=True)


def _recurrent(short: str, dropout_at: int, layers_at: int) -> Layer:
    # «cudnn RNN backward can only be called in training mode», says aten/src/ATen/native/cudnn/RNN.cpp
    name = f"torch.nn.{short}"
    rules = (Rule(Parameter("dropout", dropout_at, 0.0)), Rule(Parameter("num_layers", layers_at, 1), above=1))
    return Layer(name, "argument", DROPOUT_BETWEEN_LAYERS, _page(name), rules, trains_only_in_train=True)


def _transformer(short: str, dropout_at: int, default: float) -> Layer:
    name = f"torch.nn.{short}"
    return Layer(name, "argument", ATTENTION_DROPOUT, _page(name), (Rule(Parameter("dropout", dropout_at, default)),))


def _container(short: str) -> Layer:
    name = f"torch.nn.{short}"
    return Layer(name, "container", "depends on the mode if one of the modules in it does", _page(name))


LAYERS = (
    *(_never(short) for short in WITHOUT_MODE),
    Layer(
        "torch.nn.FractionalMaxPool2d",
        "never",
        "draws random pooling regions in both modes alike",
        _page("torch.nn.FractionalMaxPool2d"),
    ),
    Layer(
        "torch.nn.FractionalMaxPool3d",
        "never",
        "draws random pooling regions in both modes alike",
        _page("torch.nn.FractionalMaxPool3d"),
    ),
    *(_dropout(s) for s in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")),
    Layer(
        "torch.nn.RReLU",
        "always",
        "draws its slope at random in train mode and takes the mean slope in eval mode",
        _page("torch.nn.RReLU"),
    ),
    *(_batch_norm(s, 4) for s in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")),
    *(_batch_norm(s, 3) for s in ("LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d")),
    *(_instance_norm(s, 4, False) for s in ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")),
    *(_instance_norm(s, 3, True) for s in ("LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d")),
    _recurrent("LSTM", 5, 2),
    _recurrent("GRU", 5, 2),
    _recurrent("RNN", 6, 2),
    _recurrent("RNNBase", 6, 3),
    _transformer("MultiheadAttention", 2, 0.0),
    _transformer("Transformer", 5, 0.1),
    _transformer("TransformerEncoderLayer", 3, 0.1),
    _transformer("TransformerDecoderLayer", 3, 0.1),
    *(
        _container(s)
        for s in ("Module", "Sequential", "ModuleList", "ModuleDict", "TransformerEncoder", "TransformerDecoder")
    ),
)


def _functional(short: str, flag: Parameter, why: str, rules: tuple[Rule, ...] = ()) -> Functional:
    name = f"torch.nn.functional.{short}"
    return Functional(name, flag, why, _page(name), rules)


P_AT_1 = (Rule(Parameter("p", 1, 0.5)),)
ALWAYS_DROPS = "drops whenever its flag is true, which is the default, whatever the mode of the module around it"

NEVER_DROPS = (
    "drops only if its flag is true, and its default is false: without the flag it does nothing, whatever the mode"
)

FUNCTIONS_OF_LAYERS = (
    *((f"Dropout{dims}", f"dropout{dims}") for dims in ("", "1d", "2d", "3d")),
    ("AlphaDropout", "alpha_dropout"),
    ("FeatureAlphaDropout", "feature_alpha_dropout"),
    ("RReLU", "rrelu"),
)
"""Layers without weights, each with the function of torch.nn.functional that does the same if it is told the mode: by
name and place the layer's arguments are the function's own, between its input and its flag, and so are their defaults
(https://docs.pytorch.org/docs/stable/nn.functional.html)."""

FUNCTIONALS = (
    *(
        _functional(short, Parameter("training", 2, True), ALWAYS_DROPS, P_AT_1)
        for short in ("dropout", "dropout1d", "dropout2d", "dropout3d")
    ),
    *(
        _functional(short, Parameter("training", 2, False), NEVER_DROPS, P_AT_1)
        for short in ("alpha_dropout", "feature_alpha_dropout")
    ),
    _functional("rrelu", Parameter("training", 3, False), "draws its slope at random only if its flag is true"),
    _functional(
        "batch_norm",
        Parameter("training", 5, False),
        "normalises by the batch and updates the running statistics given if its flag is true, else uses them",
    ),
    _functional(
        "instance_norm",
        Parameter("use_input_stats", 5, True),
        "normalises by the input if its flag is true, else by the running statistics given",
    ),
    Functional(
        "torch.nn.functional.multi_head_attention_forward",
        Parameter("training", 13, True),
        "drops attention weights if its flag is true and dropout_p is not 0",
        f"{SOURCE}/torch/nn/functional.py",
        (Rule(Parameter("dropout_p", 10, required=True)),),
    ),
    _functional(
        "scaled_dot_product_attention",
        Parameter("dropout_p", 4, 0.0),
        "drops by dropout_p in both modes: it knows no training flag",
        (Rule(Parameter("dropout_p", 4, 0.0)),),
    ),
    *(
        Functional(
            f"torch.{short}",
            Parameter("train", 2, required=True),
            "drops if its flag is true",
            f"{SOURCE}/aten/src/ATen/native/native_functions.yaml",
            (Rule(Parameter("p", 1, required=True)),),
        )
        for short in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
    ),
)

FACTORIES = (
    Factory(
        "torch.hub.load",
        "train",
        "calls an entry point of the repository, which builds a module and as a rule does not switch it",
        f"{DOCS}/hub.html",
    ),
    Factory("torch.load", "unknown", "a pickled module has the mode in which it was saved", _page("torch.load")),
    Factory("torch.jit.load", "unknown", "a saved ScriptModule has the mode it was saved in", _page("torch.jit.load")),
)

ORDINARY = (
    Ordinary("torch.hub.load_state_dict_from_url", "returns weights, no module", f"{DOCS}/hub.html"),
    Ordinary("torch.hub.download_url_to_file", "returns nothing", f"{DOCS}/hub.html"),
    Ordinary("torch.utils.data.**", "data sets and what draws from them", f"{DOCS}/data.html"),
    Ordinary("torch.utils.tensorboard.**", "writes what was measured", f"{DOCS}/tensorboard.html"),
    Ordinary("torch.distributions.**", "distributions, which have no mode", f"{DOCS}/distributions.html"),
    *(
        Ordinary(
            f"torchtext.{package}.**",
            "text and what numbers its words",
            f"https://docs.pytorch.org/text/stable/{page}.html",
        )
        for package, page in (
            ("data", "data_utils"),
            ("datasets", "datasets"),
            ("vocab", "vocab"),
            ("legacy.data", "data_utils"),
            ("legacy.datasets", "datasets"),
        )
    ),
    Ordinary("torchaudio.datasets.**", "data sets", "https://docs.pytorch.org/audio/stable/datasets.html"),
)

MODULE = Parameter("module", 0, required=True)
MODEL = Parameter("model", 0, required=True)
SPECTRAL = "its power iteration runs, and changes a buffer, in train mode only"

WRAPPERS = (
    Wrapper(
        "torch.nn.DataParallel",
        MODULE,
        "shares",
        "its child `module` is the module given",
        _page("torch.nn.DataParallel"),
        attribute="module",
    ),
    Wrapper(
        "torch.nn.parallel.DistributedDataParallel",
        MODULE,
        "shares",
        "its child `module` is the module given",
        _page("torch.nn.parallel.DistributedDataParallel"),
        attribute="module",
    ),
    Wrapper(
        "torch.distributed.fsdp.FullyShardedDataParallel",
        MODULE,
        "shares",
        "its child `module` is the module given",
        f"{DOCS}/fsdp.html",
        attribute="module",
    ),
    Wrapper(
        "torch.distributed.fsdp.fully_shard",
        MODULE,
        "same",
        "changes the class of the module given and returns it",
        f"{DOCS}/distributed.fsdp.fully_shard.html",
    ),
    Wrapper(
        "torch.distributed.fsdp.wrap.wrap",
        MODULE,
        "shares",
        "wraps the module if wrapping is enabled",
        f"{DOCS}/fsdp.html",
        attribute="module",
    ),
    Wrapper(
        "torch.distributed.tensor.parallel.parallelize_module",
        MODULE,
        "same",
        "changes the module in place and returns it",
        f"{DOCS}/distributed.tensor.parallel.html",
    ),
    Wrapper(
        "torch.compile",
        MODEL,
        "shares",
        "its child `_orig_mod` is the module given",
        _page("torch.compile"),
        attribute="_orig_mod",
    ),
    Wrapper(
        "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
        MODULE,
        "same",
        "replaces batch norms inside, each new one with the mode of the old",
        _page("torch.nn.SyncBatchNorm"),
    ),
    Wrapper(
        "torch.jit.script",
        Parameter("obj", 0, required=True),
        "copy",
        "a new ScriptModule with the `training` of the module given",
        _page("torch.jit.script"),
        makes="torch.jit.ScriptModule",
    ),
    *(
        Wrapper(
            name,
            parameter,
            "copy",
            "a new ScriptModule that behaves for ever as in the mode in which it was traced",
            _page(name),
            makes="torch.jit.TopLevelTracedModule",
            baked=True,
        )
        for name, parameter in (
            ("torch.jit.trace", Parameter("func", 0, required=True)),
            ("torch.jit.trace_module", Parameter("mod", 0, required=True)),
        )
    ),
    *(
        Wrapper(
            name,
            Parameter("mod", 0, required=True),
            "copy",
            "a new ScriptModule, in eval mode: it freezes the module, which only works there",
            _page(name),
            mode="eval",
            makes="torch.jit.ScriptModule",
        )
        for name in ("torch.jit.freeze", "torch.jit.optimize_for_inference")
    ),
    Wrapper(
        "torch.utils.mobile_optimizer.optimize_for_mobile",
        Parameter("script_module", 0, required=True),
        "copy",
        "clones the module and calls eval() on the clone",
        f"{SOURCE}/torch/csrc/jit/passes/xnnpack_rewrite.cpp",
        mode="eval",
        makes="torch.jit.ScriptModule",
    ),
    Wrapper(
        "torch.fx.symbolic_trace",
        Parameter("root", 0, required=True),
        "shares",
        "a new GraphModule over the same submodules, with the `training` of the root",
        f"{DOCS}/fx.html",
    ),
    Wrapper(
        "torch.fx.GraphModule",
        Parameter("root", 0, required=True),
        "shares",
        "runs the parts of the root by its graph, and takes over the `training` of the root",
        f"{DOCS}/fx.html#torch.fx.GraphModule",
    ),
    Wrapper(
        "torch.optim.swa_utils.AveragedModel",
        MODEL,
        "copy",
        "its child `module` is a deep copy of the module given",
        f"{DOCS}/optim.html",
        attribute="module",
    ),
    Wrapper(
        "copy.deepcopy",
        Parameter("x", 0, required=True),
        "copy",
        "`training` is an attribute like any other",
        "https://docs.python.org/3/library/copy.html",
    ),
    Wrapper(
        "copy.copy",
        Parameter("x", 0, required=True),
        "copy",
        "`training` is an attribute like any other; the children are shared",
        "https://docs.python.org/3/library/copy.html",
    ),
    *(
        Wrapper(name, MODULE, "same", f"returns the module given; {SPECTRAL}", _page(name), sensitive=True)
        for name in ("torch.nn.utils.spectral_norm", "torch.nn.utils.parametrizations.spectral_norm")
    ),
    *(
        Wrapper(name, MODULE, "same", "returns the module given with its weight reparametrised", _page(name))
        for name in (
            "torch.nn.utils.weight_norm",
            "torch.nn.utils.parametrizations.weight_norm",
            "torch.nn.utils.parametrizations.orthogonal",
            "torch.nn.utils.remove_spectral_norm",
            "torch.nn.utils.remove_weight_norm",
        )
    ),
)

OFF = "no gradients are recorded inside"
GRADIENTS = (
    Gradients("torch.no_grad", "off", OFF, _page("torch.no_grad"), bare_decorator=True),
    Gradients(
        "torch.inference_mode",
        "argument",
        "records nothing inside if its flag is true",
        _page("torch.autograd.grad_mode.inference_mode"),
        Parameter("mode", 0, True),
        bare_decorator=True,
    ),
    Gradients(
        "torch.enable_grad", "on", "gradients are recorded inside", _page("torch.enable_grad"), bare_decorator=True
    ),
    Gradients(
        "torch.set_grad_enabled",
        "argument",
        "records gradients if its flag is true; the call itself switches, `with` switches back",
        _page("torch.autograd.grad_mode.set_grad_enabled"),
        Parameter("mode", 0, required=True),
        acts_when_called=True,
    ),
)

PARAMETERS = Parameter("params", 0, required=True)
OPTIMIZER_CLASSES = names("""
    ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam Optimizer RAdam RMSprop Rprop SGD SparseAdam
""")
SCHEDULER_CLASSES = names("""
    ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LRScheduler LambdaLR
    LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR ReduceLROnPlateau SequentialLR StepLR _LRScheduler
""")

OPTIMIZERS = (
    *(
        Optimizer(f"torch.optim.{s}", PARAMETERS, "an optimizer of the parameters given", f"{DOCS}/optim.html")
        for s in OPTIMIZER_CLASSES
    ),
    Optimizer(
        "torch.distributed.optim.ZeroRedundancyOptimizer",
        PARAMETERS,
        "an optimizer of the parameters given, sharded",
        f"{DOCS}/distributed.optim.html",
    ),
)

SCHEDULERS = (
    *(
        Scheduler(f"torch.optim.lr_scheduler.{s}", "its step changes the learning rate", f"{DOCS}/optim.html")
        for s in SCHEDULER_CLASSES
    ),
    Scheduler("torch.optim.swa_utils.SWALR", "its step changes the learning rate", f"{DOCS}/optim.html"),
)

STEPS = (
    Step(
        "torch.optim.Optimizer.step", "receiver", "updates the parameters it holds", _page("torch.optim.Optimizer.step")
    ),
    Step(
        "torch.amp.GradScaler.step",
        Parameter("optimizer", 0, required=True),
        "unscales, then calls `optimizer.step()`",
        f"{DOCS}/amp.html",
    ),
)

BACKWARDS = (
    Backward(
        "torch.Tensor.backward", "receiver", "computes the gradients of the tensor", _page("torch.Tensor.backward")
    ),
    Backward(
        "torch.autograd.backward",
        Parameter("tensors", 0, required=True),
        "computes the gradients of the tensors given",
        _page("torch.autograd.backward"),
    ),
    Backward(
        "torch.autograd.grad",
        Parameter("outputs", 0, required=True),
        "computes and returns the gradients of the outputs",
        _page("torch.autograd.grad"),
    ),
    Backward("backward", "either", "`loss.backward()`, or `engine.backward(loss)`", _page("torch.Tensor.backward")),
)

RUNNERS = (
    Runner(
        "torch.utils.checkpoint.checkpoint",
        Parameter("function", 0, required=True),
        "calls the function, and again in the backward",
        f"{DOCS}/checkpoint.html",
    ),
    Runner(
        "torch.utils.checkpoint.checkpoint_sequential",
        Parameter("functions", 0, required=True),
        "calls the functions one after the other, and again in the backward",
        f"{DOCS}/checkpoint.html",
    ),
    Runner(
        "torch.nn.parallel.data_parallel",
        MODULE,
        "calls copies of the module on parts of the input",
        f"{SOURCE}/torch/nn/parallel/data_parallel.py",
    ),
    *(
        Runner(name, MODULE, "calls the module with the parameters given", _page(name))
        for name in ("torch.func.functional_call", "torch.nn.utils.stateless.functional_call")
    ),
    *(
        Runner(name, Parameter("func", 0, required=True), "calls the function to differentiate it", _page(name))
        for name in (
            "torch.autograd.functional.hessian",
            "torch.autograd.functional.jacobian",
            "torch.autograd.functional.jvp",
            "torch.autograd.functional.vjp",
        )
    ),
)

FORWARD_METHODS = (
    ForwardMethod("forward", "what calling a module runs", _page("torch.nn.Module")),
    ForwardMethod("__call__", "runs the hooks and `forward`", _page("torch.nn.Module")),
)

REEXPORTED = "defined there, and exported under the shorter name"
ALIASES = (
    Alias("torch.nn.modules", "torch.nn", REEXPORTED, f"{SOURCE}/torch/nn/modules/__init__.py", skip=1),
    Alias("torch.autograd.grad_mode", "torch", REEXPORTED, f"{SOURCE}/torch/__init__.py"),
    *(
        Alias(f"torch.autograd.{short}", f"torch.{short}", REEXPORTED, f"{SOURCE}/torch/autograd/__init__.py")
        for short in ("no_grad", "enable_grad", "inference_mode", "set_grad_enabled")
    ),
    *(
        Alias(f"torch.optim.{module}", "torch.optim", REEXPORTED, f"{SOURCE}/torch/optim/__init__.py")
        for module in names("""
            _adafactor _muon adadelta adagrad adam adamax adamw asgd lbfgs nadam optimizer radam rmsprop rprop sgd sparse_adam
        """)
    ),
    Alias(
        "torch.nn.parallel.data_parallel.DataParallel",
        "torch.nn.DataParallel",
        REEXPORTED,
        f"{SOURCE}/torch/nn/__init__.py",
    ),
    Alias("torch.nn.parallel.DataParallel", "torch.nn.DataParallel", REEXPORTED, f"{SOURCE}/torch/nn/__init__.py"),
    Alias("torch.nn.parallel.distributed", "torch.nn.parallel", REEXPORTED, f"{SOURCE}/torch/nn/parallel/__init__.py"),
    Alias(
        "torch.distributed.fsdp.fully_sharded_data_parallel",
        "torch.distributed.fsdp",
        REEXPORTED,
        f"{SOURCE}/torch/distributed/fsdp/__init__.py",
    ),
    Alias("torch.cuda.amp", "torch.amp", "the CUDA case of the same class", f"{DOCS}/amp.html"),
)

SAME_OBJECT_METHODS = frozenset(
    names("""
        apply bfloat16 cpu cuda double eval float gradient_checkpointing_enable half hpu ipu mps mtia npu requires_grad_
        share_memory to to_empty train type xpu
    """)
)

TABLE = Table(
    layers=LAYERS,
    functionals=FUNCTIONALS,
    factories=FACTORIES,
    ordinary=ORDINARY,
    wrappers=WRAPPERS,
    gradients=GRADIENTS,
    optimizers=OPTIMIZERS,
    schedulers=SCHEDULERS,
    steps=STEPS,
    backwards=BACKWARDS,
    runners=RUNNERS,
    forward_methods=FORWARD_METHODS,
    aliases=ALIASES,
)
