"""Libraries that wrap a module to train it at scale, in half precision, privately or quantised. None of them sets a mode
unless an entry says so."""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Backward,
    Optimizer,
    Parameter,
    Step,
    Table,
    Wrapper,
    names,
)

APEX = "https://nvidia.github.io/apex"
DEEPSPEED = "https://deepspeed.readthedocs.io/en/latest"
FAIRSCALE = "https://fairscale.readthedocs.io/en/latest"
HOROVOD = "https://horovod.readthedocs.io/en/stable/api.html"
IPEX = "https://intel.github.io/intel-extension-for-pytorch"
OPACUS = "https://opacus.ai/api"
QUANTIZATION = "https://github.com/pytorch/pytorch/blob/main/torch/ao/quantization"
XLA = "https://pytorch.org/xla/release/2.1/index.html"

CHECKPOINT_WRAPPER = "torch.distributed.algorithms._checkpoint.checkpoint_wrapper"

MODULE = Parameter("module", 0, required=True)
MODEL = Parameter("model", 0, required=True)
OPTIMIZER = Parameter("optimizer", 0, required=True)

WRAPPERS = (
    Wrapper(
        "apex.amp.initialize",
        Parameter("models", 0, required=True),
        "same",
        "casts the models in place; returns models and optimizers if it is given optimizers, else the models",
        f"{APEX}/amp.html",
        part="arguments",
        others=("optimizers",),
    ),
    Wrapper(
        "apex.parallel.DistributedDataParallel",
        MODULE,
        "shares",
        "its child `module` is the module given",
        f"{APEX}/parallel.html",
        attribute="module",
    ),
    Wrapper(
        "apex.parallel.convert_syncbn_model",
        MODULE,
        "same",
        "replaces batch norms inside, and returns the module",
        f"{APEX}/parallel.html",
    ),
    Wrapper(
        "deepspeed.initialize",
        Parameter("model", 1, required=True),
        "shares",
        "returns an engine whose child `module` is the model, then the optimizer, the loader and the scheduler",
        f"{DEEPSPEED}/initialize.html",
        part="first",
        attribute="module",
    ),
    Wrapper(
        "deepspeed.init_inference",
        MODEL,
        "shares",
        "its child `module` is the model; layers replaced by kernels are built for inference, the others keep their mode",
        f"{DEEPSPEED}/inference-init.html",
        attribute="module",
    ),
    *(
        Wrapper(
            f"fairscale.nn.{name}",
            MODULE,
            "shares",
            "its child `module` is the module given",
            f"{FAIRSCALE}/api/index.html",
            attribute="module",
        )
        for name in (
            "FullyShardedDataParallel",
            "data_parallel.ShardedDataParallel",
            "data_parallel.FullyShardedDataParallel",
        )
    ),
    Wrapper(
        "torch_xla.distributed.fsdp.XlaFullyShardedDataParallel",
        MODULE,
        "shares",
        "its child `module` is the module given",
        XLA,
        attribute="module",
    ),
    Wrapper("torch_xla.distributed.xla_multiprocessing.MpModelWrapper", MODEL, "shares", "holds the model", XLA),
    *(
        Wrapper(
            f"{package}.optimize",
            MODEL,
            "copy",
            "returns a copy unless it works in place, and the optimizer too if it is given one",
            IPEX,
            part="arguments",
            others=("optimizer",),
        )
        for package in ("intel_extension_for_pytorch", "intel_pytorch_extension")
    ),
    Wrapper(
        "backpack.extend",
        MODULE,
        "same",
        "adds hooks to the module and returns it",
        "https://docs.backpack.pt/en/master/extending.html",
    ),
    *(
        Wrapper(
            name,
            Parameter("module", None, required=True),
            "shares",
            "returns the module with hooks, the optimizer and the loader; the hooks want train mode",
            f"{OPACUS}/privacy_engine.html",
            part="first",
            attribute="_module",
        )
        for name in (
            *("opacus.PrivacyEngine.make_private", "opacus.PrivacyEngine.make_private_with_epsilon"),
            *("make_private", "make_private_with_epsilon"),
        )
    ),
    *(
        Wrapper(
            name,
            Parameter("m", 0, required=True),
            "shares",
            "its child `_module` is the module",
            OPACUS,
            attribute="_module",
        )
        for name in ("opacus.GradSampleModule", "opacus.grad_sample.GradSampleModule")
    ),
    Wrapper(
        "opacus.validators.ModuleValidator.fix",
        MODULE,
        "copy",
        "returns a clone in which batch norms are replaced by group norms",
        f"{OPACUS}/validator.html",
    ),
    *(
        Wrapper(
            f"torch.ao.quantization.{name}",
            MODEL,
            "copy",
            "returns a copy, unless it works in place, which has the mode of the model",
            f"{QUANTIZATION}/{page}",
        )
        for name, page in (
            ("prepare", "quantize.py"),
            ("prepare_qat", "quantize.py"),
            ("convert", "quantize.py"),
            ("fuse_modules", "fuse_modules.py"),
            ("fuse_modules_qat", "fuse_modules.py"),
            ("quantize_fx.prepare_fx", "quantize_fx.py"),
            ("quantize_fx.prepare_qat_fx", "quantize_fx.py"),
            ("quantize_fx.convert_fx", "quantize_fx.py"),
        )
    ),
    *(
        Wrapper(
            f"torch.ao.quantization.{name}",
            MODEL,
            "copy",
            "copies the model, unless it works in place, and puts the copy in eval mode",
            f"{QUANTIZATION}/quantize.py",
            mode="eval",
        )
        for name in ("quantize", "quantize_dynamic")
    ),
    *(
        Wrapper(
            name,
            MODULE,
            "shares",
            "its child `module` is the module given",
            link,
            attribute="module",
        )
        for name, link in (
            ("torch_geometric.nn.DataParallel", "https://pytorch-geometric.readthedocs.io"),
            ("torch_geometric.nn.data_parallel.DataParallel", "https://pytorch-geometric.readthedocs.io"),
            ("mmcv.parallel.MMDataParallel", "https://mmcv.readthedocs.io"),
            ("mmcv.parallel.MMDistributedDataParallel", "https://mmcv.readthedocs.io"),
            ("mmengine.model.MMDistributedDataParallel", "https://mmengine.readthedocs.io"),
            ("mmengine.model.MMFullyShardedDataParallel", "https://mmengine.readthedocs.io"),
            ("mmengine.model.MMSeparateDistributedDataParallel", "https://mmengine.readthedocs.io"),
            ("encoding.parallel.DataParallelModel", "https://hangzhang.org/PyTorch-Encoding"),
            ("sync_batchnorm.DataParallelWithCallback", "https://github.com/vacancy/Synchronized-BatchNorm-PyTorch"),
        )
    ),
    *(
        Wrapper(
            f"mmengine.model.{name}",
            MODEL,
            "copy",
            "its child `module` is a deep copy of the model given",
            "https://github.com/open-mmlab/mmengine/blob/main/mmengine/model/averaged_model.py",
            attribute="module",
        )
        for name in ("ExponentialMovingAverage", "MomentumAnnealingEMA", "StochasticWeightAverage")
    ),
    *(
        Wrapper(
            f"mmengine.model.{name}",
            MODEL,
            "same",
            "replaces batch norms inside, and returns the model",
            "https://github.com/open-mmlab/mmengine/blob/main/mmengine/model/utils.py",
        )
        for name in ("convert_sync_batchnorm", "revert_sync_batchnorm")
    ),
    Wrapper(
        "ema_pytorch.EMA",
        MODEL,
        "copy",
        "holds a deep copy as `ema_model`, which it calls; the model itself is `online_model`",
        "https://github.com/lucidrains/ema-pytorch/blob/main/ema_pytorch/ema_pytorch.py",
        attribute="ema_model",
    ),
    *(
        Wrapper(
            name,
            MODEL,
            "shares",
            "wraps the model for the number of workers",
            "https://docs.ray.io/en/latest/train/getting-started-pytorch.html",
            attribute="module",
        )
        for name in ("ray.train.torch.prepare_model", "ray.train.prepare_model")
    ),
    *(
        Wrapper(
            f"ray.train.{library}.prepare_trainer",
            Parameter("trainer", 0, required=True),
            "same",
            "returns the trainer given, made ready for the workers",
            f"https://docs.ray.io/en/latest/train/api/doc/ray.train.{library}.prepare_trainer.html",
        )
        for library in ("lightning", "huggingface.transformers")
    ),
    *(
        Wrapper(
            name,
            MODULE,
            "same",
            "changes the module in place and returns it",
            f"https://github.com/pytorch/pytorch/blob/main/{page}.py",
        )
        for name, page in (
            ("torch.distributed._composable.replicate", "torch/distributed/_composable/replicate"),
            ("torch.distributed._composable.checkpoint", "torch/distributed/_composable/checkpoint_activation"),
        )
    ),
    Wrapper(
        f"{CHECKPOINT_WRAPPER}.checkpoint_wrapper",
        MODULE,
        "shares",
        "its child `_checkpoint_wrapped_module` is the module given",
        "https://github.com/pytorch/pytorch/blob/main/torch/distributed/algorithms/_checkpoint/checkpoint_wrapper.py",
        attribute="_checkpoint_wrapped_module",
    ),
)

OPTIMIZERS = (
    *(
        Optimizer(
            f"apex.optimizers.{name}",
            Parameter("params", 0, required=True),
            "an optimizer of the parameters given",
            f"{APEX}/optimizers.html",
        )
        for name in names("FusedAdagrad FusedAdam FusedLAMB FusedNovoGrad FusedSGD")
    ),
    Optimizer(
        "apex.fp16_utils.FP16_Optimizer",
        Parameter("init_optimizer", 0, required=True),
        "steps the optimizer given",
        f"{APEX}/fp16_utils.html",
    ),
    Optimizer("apex.parallel.LARC.LARC", OPTIMIZER, "steps the optimizer given", f"{APEX}/parallel.html"),
    Optimizer("horovod.torch.DistributedOptimizer", OPTIMIZER, "steps the optimizer given", HOROVOD),
    Optimizer(
        "fairscale.optim.OSS", Parameter("params", 0, required=True), "an optimizer of the parameters given", FAIRSCALE
    ),
    *(
        Optimizer(
            name,
            Parameter("model_params", 0, required=True),
            "an optimizer of the parameters given",
            f"{DEEPSPEED}/optimizers.html",
        )
        for name in (
            "deepspeed.ops.adam.FusedAdam",
            "deepspeed.ops.adam.DeepSpeedCPUAdam",
            "deepspeed.ops.lamb.FusedLamb",
            "deepspeed.ops.lion.FusedLion",
            "deepspeed.ops.lion.DeepSpeedCPULion",
            "deepspeed.ops.adagrad.DeepSpeedCPUAdagrad",
        )
    ),
    Optimizer(
        "ray.train.torch.prepare_optimizer",
        OPTIMIZER,
        "steps the optimizer given",
        "https://docs.ray.io/en/latest/train/api/api.html",
    ),
)

ENGINE = "steps the optimizer of the engine at the end of an accumulation"
STEPS = (
    Step("deepspeed.DeepSpeedEngine.step", "engine", ENGINE, f"{DEEPSPEED}/training.html"),
    Step(
        "torch_xla.core.xla_model.optimizer_step",
        OPTIMIZER,
        "reduces the gradients, then calls `optimizer.step()`",
        XLA,
    ),
    Step(
        "optimizer_step",
        OPTIMIZER,
        "`xm.optimizer_step(optimizer)`, and runners that call the step of the optimizer given",
        XLA,
    ),
    Step(
        "fairscale.optim.grad_scaler.ShardedGradScaler.step",
        OPTIMIZER,
        "unscales, then calls `optimizer.step()`",
        FAIRSCALE,
    ),
)

BACKWARDS = (
    Backward(
        "deepspeed.DeepSpeedEngine.backward",
        Parameter("loss", 0, required=True),
        "computes the gradients of the loss",
        f"{DEEPSPEED}/training.html",
    ),
    Backward(
        "ray.train.torch.backward",
        Parameter("tensor", 0, required=True),
        "scales the loss and computes its gradients",
        "https://docs.ray.io/en/latest/train/api/api.html",
    ),
)

SAME = "the former place of the same names"
ALIASES = (
    Alias(
        "torch.quantization", "torch.ao.quantization", SAME, "https://docs.pytorch.org/docs/stable/quantization.html"
    ),
    Alias("horovod.torch.optimizer", "horovod.torch", SAME, HOROVOD),
    Alias("deepspeed.runtime.engine.DeepSpeedEngine", "deepspeed.DeepSpeedEngine", SAME, DEEPSPEED),
    Alias(
        "torch.distributed._composable.fsdp",
        "torch.distributed.fsdp",
        SAME,
        "https://github.com/pytorch/pytorch/blob/main/torch/distributed/_composable/fsdp/__init__.py",
    ),
    Alias("apex.parallel.distributed", "apex.parallel", SAME, APEX),
)

TABLE = Table(
    wrappers=WRAPPERS,
    optimizers=OPTIMIZERS,
    steps=STEPS,
    backwards=BACKWARDS,
    aliases=ALIASES,
)
