"""ignite: an Engine sets no mode, but the update functions that its `create_supervised_*` make do."""

from __future__ import annotations

from evalguard.vocabulary.terms import FrameworkCall, Parameter, Table, Wrapper

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
)

TABLE = Table(wrappers=WRAPPERS, framework_calls=FRAMEWORK_CALLS)
