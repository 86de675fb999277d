"""Lightning and Fabric, under their three names: `lightning`, `lightning.pytorch` and `pytorch_lightning`.

The Trainer calls eval() before validation, test and prediction, and gives the modes back after them. What that means for
the hooks depends on the version:

                                     before 2.2                      since 2.2
    fit begins                       train() on the whole            every part as it is found
    after a validation               train() on the whole            every part as it was before
    a teacher that `__init__` froze  in train mode in all hooks      in eval mode in all hooks

So `hooks` gives the mode of the whole, which is the same in all versions, and nothing can be said of such a part without the
version. A module handed to `fit` in eval mode is trained in it since 2.2.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import (
    Alias,
    Backward,
    Factory,
    Fitting,
    Framework,
    FrameworkCall,
    HookMode,
    Parameter,
    SelfModing,
    Table,
    Wrapper,
    names,
)

DOCS = "https://lightning.ai/docs/pytorch/stable"
SOURCE = "https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning"

TRAIN_HOOKS = names("""
    backward configure_gradient_clipping lr_scheduler_step on_after_backward on_before_backward on_before_optimizer_step
    on_before_zero_grad on_train_batch_end on_train_batch_start on_train_end on_train_epoch_end on_train_epoch_start
    on_train_start optimizer_step optimizer_zero_grad training_epoch_end training_step training_step_end
""")
EVAL_HOOKS = names("""
    on_predict_batch_end on_predict_batch_start on_predict_end on_predict_epoch_end on_predict_epoch_start
    on_predict_start on_test_batch_end on_test_batch_start on_test_end on_test_epoch_end on_test_epoch_start on_test_start
    on_validation_batch_end on_validation_batch_start on_validation_end on_validation_epoch_end
    on_validation_epoch_start on_validation_start predict_step test_epoch_end test_step test_step_end
    validation_epoch_end validation_step validation_step_end
""")
MANAGED_HOOKS = names("""
    forward on_fit_end on_fit_start on_load_checkpoint on_save_checkpoint on_sanity_check_end on_sanity_check_start
    on_test_model_eval on_test_model_train on_validation_model_eval on_validation_model_train on_predict_model_eval
    on_predict_model_train on_validation_model_zero_grad
""")
HOOKS: dict[str, HookMode] = {
    **dict.fromkeys(TRAIN_HOOKS, "train"),
    **dict.fromkeys(EVAL_HOOKS, "eval"),
    **dict.fromkeys(MANAGED_HOOKS, "managed"),
}
SETS = (
    "the evaluation loops call eval() and restore the modes after; fit trains in the modes it finds (train before 2.2)"
)

FRAMEWORKS = (
    Framework(
        "lightning.pytorch.LightningModule",
        module=True,
        hooks=HOOKS,
        why=SETS,
        link=f"{SOURCE}/pytorch/loops/evaluation_loop.py",
    ),
    Framework(
        "lightning.pytorch.Callback",
        module=False,
        hooks=HOOKS,
        why=SETS,
        link=f"{DOCS}/extensions/callbacks.html",
        modules=("pl_module", "trainer.model", "trainer.lightning_module"),
    ),
    Framework(
        "lightning.pytorch.callbacks.*",
        module=False,
        hooks=HOOKS,
        why=SETS,
        link=f"{DOCS}/extensions/callbacks.html",
        modules=("pl_module", "trainer.model", "trainer.lightning_module"),
    ),
)

MODEL = Parameter("model", 0)
FITTING = Fitting(
    step="training_step",
    optimizers="configure_optimizers",
    before=names("setup configure_optimizers on_fit_start on_train_start on_train_epoch_start on_train_batch_start"),
    packages=(
        "lightning",
    ),  # `pytorch_lightning` may be any version; `lightning` is in use since 2.0, mostly 2.2 and later
)
FRAMEWORK_CALLS = tuple(
    FrameworkCall(
        f"lightning.pytorch.Trainer.{method}",
        MODEL,
        None,
        trains,
        why,
        f"{SOURCE}/pytorch/trainer/trainer.py",
        FITTING if method == "fit" else None,
    )
    for method, trains, why in (
        ("fit", True, "trains in the modes that the modules have, and evaluates in eval mode between"),
        ("validate", False, "calls eval() and restores the modes after"),
        ("test", False, "calls eval() and restores the modes after"),
        ("predict", False, "calls eval() and restores the modes after"),
    )
)

FRAMEWORK_CALLS += tuple(
    FrameworkCall(
        f"lightning.pytorch.tuner.Tuner.{method}",
        Parameter("model", 0, required=True),
        None,
        True,
        "fits the model on trial, and gives its weights back",
        f"{SOURCE}/pytorch/tuner/tuning.py",
    )
    for method in ("lr_find", "scale_batch_size")
)

SELF_MODING = (
    SelfModing(
        "lightning.pytorch.LightningModule.freeze",
        "eval",
        "eval",
        "turns off the gradients of all parameters and calls eval()",
        f"{SOURCE}/pytorch/core/module.py",
    ),
    SelfModing(
        "lightning.pytorch.LightningModule.unfreeze",
        "train",
        "train",
        "turns on the gradients of all parameters and calls train()",
        f"{SOURCE}/pytorch/core/module.py",
    ),
)

FACTORIES = (
    Factory(
        "load_from_checkpoint",
        "train",
        "builds the module anew and loads its weights; the documentation calls eval() after it",
        f"{DOCS}/common/checkpointing_basic.html",
    ),
)

MODULE = Parameter("module", 0, required=True)
WRAPPERS = (
    *(
        Wrapper(
            name,
            MODULE,
            "shares",
            "wraps the module; with optimizers, a tuple of the module and the optimizers",
            f"{SOURCE}/fabric/fabric.py",
            part="arguments",
            attribute="module",
        )
        for name in ("lightning.fabric.Fabric.setup", "setup")
    ),
    *(
        Wrapper(name, MODULE, "shares", "wraps the module", f"{SOURCE}/fabric/fabric.py", attribute="module")
        for name in ("lightning.fabric.Fabric.setup_module", "setup_module")
    ),
)

BACKWARDS = (
    Backward(
        "manual_backward",
        Parameter("loss", 0, required=True),
        "computes the gradients of the loss, scaled as the strategy wants",
        f"{SOURCE}/pytorch/core/module.py",
    ),
)

SAME = "the same package under another name"
ALIASES = (
    Alias("pytorch_lightning", "lightning.pytorch", SAME, DOCS),
    Alias("lightning_fabric", "lightning.fabric", SAME, DOCS),
    *(
        Alias(f"lightning.{name}", f"lightning.pytorch.{name}", SAME, f"{SOURCE}/__init__.py")
        for name in ("Callback", "LightningModule", "LightningDataModule", "Trainer")
    ),
    Alias("lightning.Fabric", "lightning.fabric.Fabric", SAME, f"{SOURCE}/__init__.py"),
    *(
        Alias(f"lightning.pytorch.{old}", f"lightning.pytorch.{new}", SAME, f"{SOURCE}/pytorch/__init__.py")
        for old, new in (
            ("callbacks.Callback", "Callback"),
            ("callbacks.callback.Callback", "Callback"),
            ("callbacks.base.Callback", "Callback"),
            ("core.LightningModule", "LightningModule"),
            ("core.module.LightningModule", "LightningModule"),
            ("core.lightning.LightningModule", "LightningModule"),
            ("trainer.Trainer", "Trainer"),
            ("trainer.trainer.Trainer", "Trainer"),
        )
    ),
)

TABLE = Table(
    factories=FACTORIES,
    wrappers=WRAPPERS,
    backwards=BACKWARDS,
    frameworks=FRAMEWORKS,
    framework_calls=FRAMEWORK_CALLS,
    self_moding=SELF_MODING,
    aliases=ALIASES,
)
