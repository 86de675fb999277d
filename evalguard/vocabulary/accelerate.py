"""accelerate: `prepare` returns its arguments, wrapped, in their order. It sets no mode."""

from __future__ import annotations

from evalguard.vocabulary.terms import Alias, Backward, Optimizer, Parameter, Scheduler, Table, Wrapper

SOURCE = "https://github.com/huggingface/accelerate/blob/main/src/accelerate/accelerator.py"
MODEL = Parameter("model", 0, required=True)

WRAPPERS = (
    *(
        Wrapper(
            name,
            Parameter("args", 0, required=True),
            "shares",
            "returns its arguments in their order, models wrapped; a single one by itself",
            SOURCE,
            part="arguments",
            attribute="module",
        )
        for name in ("accelerate.Accelerator.prepare", "prepare")
    ),
    *(
        Wrapper(name, MODEL, "shares", "wraps the model", SOURCE, attribute="module")
        for name in ("accelerate.Accelerator.prepare_model", "prepare_model")
    ),
    *(
        Wrapper(name, MODEL, "same", "returns the module inside the wrappers", SOURCE)
        for name in ("accelerate.Accelerator.unwrap_model", "unwrap_model")
    ),
    Wrapper(
        "accelerate.utils.extract_model_from_parallel",
        MODEL,
        "same",
        "returns the module inside the wrappers",
        SOURCE,
    ),
    *(
        Wrapper(
            f"accelerate.{name}",
            MODEL,
            "same",
            "moves the parts of the model to their devices, and returns it",
            "https://github.com/huggingface/accelerate/blob/main/src/accelerate/big_modeling.py",
        )
        for name in ("cpu_offload", "disk_offload", "dispatch_model", "load_checkpoint_and_dispatch")
    ),
)

BACKWARDS = (
    Backward(
        "accelerate.Accelerator.backward",
        Parameter("loss", 0, required=True),
        "scales the loss and computes its gradients",
        SOURCE,
    ),
)

OPTIMIZERS = (
    Optimizer(
        "accelerate.utils.DummyOptim",
        Parameter("params", 0, required=True),
        "stands for the optimizer that DeepSpeed's configuration names",
        "https://github.com/huggingface/accelerate/blob/main/src/accelerate/utils/deepspeed.py",
    ),
    *(
        Optimizer(name, Parameter("optimizer", 0, required=True), "steps the optimizer given", SOURCE)
        for name in ("accelerate.Accelerator.prepare_optimizer", "accelerate.optimizer.AcceleratedOptimizer")
    ),
)

SCHEDULERS = (
    Scheduler(
        "accelerate.utils.DummyScheduler",
        "stands for the scheduler that DeepSpeed's configuration names",
        "https://github.com/huggingface/accelerate/blob/main/src/accelerate/utils/deepspeed.py",
    ),
)

ALIASES = (Alias("accelerate.accelerator", "accelerate", "defined there, and exported under the shorter name", SOURCE),)

TABLE = Table(wrappers=WRAPPERS, backwards=BACKWARDS, optimizers=OPTIMIZERS, schedulers=SCHEDULERS, aliases=ALIASES)
