"""ignite: an Engine sets no mode, but the update functions that its `create_supervised_*` make do."""

from __future__ import annotations

from evalguard.vocabulary.terms import Alias, FrameworkCall, Optimizer, Parameter, Table, Wrapper

SOURCE = "https://github.com/pytorch/ignite/blob/master/ignite"
MODEL = Parameter("model", 0, required=True)

FRAMEWORK_CALLS = (
    *(
        FrameworkCall(
            f"ignite.engine.{name}",
            MODEL,
            "unknown",
            trains=True,
            why="every update calls model.train() before its forward",
            link=f"{SOURCE}/engine/__init__.py",
        )
        for name in (
            *("create_supervised_trainer", "supervised_training_step", "supervised_training_step_amp"),
            *("supervised_training_step_apex", "supervised_training_step_tpu"),
        )
    ),
    *(
        FrameworkCall(
            f"ignite.engine.{name}",
            MODEL,
            "unknown",
            trains=False,
            why="every update calls model.eval() before its forward, and nothing restores the mode",
            link=f"{SOURCE}/engine/__init__.py",
        )
        for name in ("create_supervised_evaluator", "supervised_evaluation_step", "supervised_evaluation_step_amp")
    ),
    FrameworkCall(
        "ignite.contrib.engines.create_supervised_tbptt_trainer",
        MODEL,
        "unknown",
        trains=True,
        why="every update calls model.train() before its forward",
        link=f"{SOURCE}/contrib/engines/tbptt.py",
    ),
)

WRAPPERS = (
    Wrapper(
        "ignite.distributed.auto_model",
        MODEL,
        "shares",
        "moves the model and wraps it for the distributed backend",
        f"{SOURCE}/distributed/auto.py",
        attribute="module",
    ),
    Wrapper(
        "ignite.handlers.EMAHandler",
        MODEL,
        "copy",
        "holds a deep copy as `ema_model`, in eval mode unless it averages batch statistics anew",
        f"{SOURCE}/handlers/ema_handler.py",
        mode="eval",
        attribute="ema_model",
    ),
)

OPTIMIZERS = (
    Optimizer(
        "ignite.distributed.auto_optim",
        Parameter("optimizer", 0, required=True),
        "steps the optimizer given, on all processes",
        f"{SOURCE}/distributed/auto.py",
    ),
)

SAME = "defined there, and exported under the shorter name"
ALIASES = (
    Alias("ignite.contrib.engines.tbptt", "ignite.contrib.engines", SAME, f"{SOURCE}/contrib/engines/__init__.py"),
    Alias("ignite.distributed.auto", "ignite.distributed", SAME, f"{SOURCE}/distributed/__init__.py"),
    Alias("ignite.handlers.ema_handler", "ignite.handlers", SAME, f"{SOURCE}/handlers/__init__.py"),
)

TABLE = Table(wrappers=WRAPPERS, framework_calls=FRAMEWORK_CALLS, optimizers=OPTIMIZERS, aliases=ALIASES)
