"""fastai: the Learner's own callback switches the model before each epoch's training and validation."""

from __future__ import annotations

from evalguard.vocabulary.terms import Alias, Factory, Framework, FrameworkCall, Table, names

SOURCE = "https://github.com/fastai/fastai/blob/main/fastai"
SETS = "TrainEvalCallback calls model.train() before training and model.eval() before validation"

FRAMEWORKS = tuple(
    Framework(
        name,
        module=False,
        hooks={"before_validate": "eval", "after_validate": "eval", "before_train": "train", "after_train": "train"},
        why=SETS,
        link=f"{SOURCE}/callback/core.py",
        default="managed",
        modules=("self.model", "self.learn.model", "self.learner.model"),
    )
    for name in ("fastai.Learner", "fastai.Callback", "fastai.LearnerCallback", "fastai.TrackerCallback")
)

FRAMEWORK_CALLS = (
    *(
        FrameworkCall(f"fastai.Learner.{name}", None, "unknown", True, SETS, f"{SOURCE}/learner.py")
        for name in names("fit fit_flat_cos fit_one_cycle fit_sgdr fine_tune lr_find")
    ),
    *(
        FrameworkCall(f"fastai.Learner.{name}", None, "eval", False, SETS, f"{SOURCE}/learner.py")
        for name in names("get_X_preds get_preds predict show_results tta validate")
    ),
)

FACTORIES = (
    *(
        Factory(
            f"fastai.{name}",
            "train",
            "a Learner is no module; its model is built in train mode",
            f"{SOURCE}/vision/learner.py",
            part="attributes",
            makes="fastai.Learner",
        )
        for name in names("""
            Learner cnn_learner collab_learner create_cnn language_model_learner tabular_learner text_classifier_learner
            unet_learner vision_learner
        """)
    ),
    Factory(
        "fastai.load_learner",
        "unknown",
        "unpickles the Learner",
        f"{SOURCE}/learner.py",
        part="attributes",
        makes="fastai.Learner",
    ),
)

STAR = "`from fastai... import *` is how its names are imported"
ALIASES = tuple(
    Alias(f"fastai.{module}", "fastai", STAR, f"{SOURCE}/vision/all.py", skip=2)
    for module in names("""
        basic_train basics callback callbacks collab learner tabular text vision basic_data
    """)
)

TABLE = Table(factories=FACTORIES, frameworks=FRAMEWORKS, framework_calls=FRAMEWORK_CALLS, aliases=ALIASES)
