"""What the parts of names say: support for other evidence, never a proof alone.

words("valLoader2")         ("val", "loader")
words("run_one_epoch")      ("run", "one", "epoch")
words("MyGANModel")         ("my", "gan", "model")
words("testloader")         ("test", "loader")
words("d_model")            ("d_model",)            the width of a transformer, no model
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from evalguard.vocabulary.terms import names

EVALUATION_WORDS: Final = frozenset(
    names("""
    dev devel eval evals evaluate evaluated evaluates evaluating evaluation evaluations evaluator heldout
    holdout infer inference inferencing infers predict predicted predicting prediction predictions predictor predicts
    test testing tests val valid validate validated validates validating validation validator
    """)
)

TRAINING_WORDS: Final = frozenset(
    names("""
    backprop backward finetune finetuning fit learn optimise optimize pretrain pretraining train trained training trainings
    trains trn update updates warmup
    """)
)

TRAINING_HOOKS: Final = frozenset(names("training_step train_step"))
"""Methods that a framework or a trainer calls for each batch that it trains on."""

LOADER_WORDS: Final = frozenset(
    names("""
    batch batches data dataloader dataloaders dataset datasets dl feed iter iterator loader loaders queue sampler set split
    """)
)

MODULE_WORDS: Final = frozenset(
    names("""
    actor autoencoder backbone bert classifier clf cnn convnet critic decoder denoiser detector dis disc discriminator
    embedder encoder ensemble extractor gan gen generator gnn gpt head llm lstm mlp model models module nerf net netd nete
    netf netg nets network networks neck policy predictor projector prior regressor resnet rnn segmentor student teacher
    transformer unet vae vgg vit
    """)
)

NOT_MODULE_WORDS: Final = frozenset(
    names("""
    agent agents algo algorithm app args callback callbacks cfg client cluster config corpus data dataframe dataloader
    dataset datasets df driver engine env environment envs estimator evaluator experiment federated frame game hook hooks
    kmeans learner loader logger manager optimizer optim opt param params parser pipe pipeline player pool process processor
    query queue runner sampler scaler scheduler server sess session simulator sklearn solver svm system task tester
    tokenizer trainer vectorizer vocab worker workers writer xgb
    """)
)

LOSS_WORDS: Final = frozenset("criterion criterions crit criteria loss losses objective".split())

NOT_MADE_MODULE_WORDS: Final = frozenset(
    """
    array average avg bar buffer builder class cls dispatcher factory fn func function type checkpoint compose counter criterion error event exception list lock loss
    losses memory meter metric metrics monitor path progress registry replay saver series stopper stopping string table tensor thread timer tracker
    transform transforms tuple variable visualizer
    """.split()
)
"""What a call with such a last word returns is no module, although classes and modules both begin with a capital."""

HELPER_NETWORK_WORDS: Final = frozenset(
    names("""
    aesthetic arcface clip clipmodel dino evaluator facenet feat feature features fid frozen guidance inception judge loss
    lpips perceptual pretrained ref reference reward rm scorer teacher vgg vqgan vqvae
    """)
)

MOMENTUM_WORDS: Final = frozenset(
    names("""
    average averaged avg delayed ema key lagged mean momentum moving old polyak shadow slow smoothed swa target targ tgt
    """)
)

PREVIEW_WORDS: Final = frozenset(
    names("""
    demo display draw figure fixed generate grid plot preview render sample samples sampling
    show snapshot visual visualisation visualise visualization visualize vis
    """)
)

MODE_WORDS: Final = frozenset(
    names("""
    bayesian deterministic eval evaluate evaluating evaluation infer inference inferencing mc mcd mode phase predict
    test testing train training validating validation
    """)
)
"""Words of a flag that tells training from the rest: `self.training`, `is_train`, `phase`."""

LEARNING_FLAG_WORDS: Final = frozenset(
    names("differentiable freeze freezed frozen grad grads gradient gradients trainable unfreeze unfrozen")
)
"""Words of a flag that tells what learns, or whether gradients are on: `self.freeze`, `is_grad_enabled()`."""

ON_PURPOSE_WORDS: Final = frozenset(
    names("""
    augment augmentation augmented augmenter augmentor bayes bayesian corrupt corruption mc mcd mcdropout monte noise noising
    perturb perturbation stochastic uncertainty
    """)
)
"""Words of a class or function that drops at random on purpose, in both modes."""

ENVIRONMENT_WORDS: Final = frozenset(names("env envs environment environments game gym sim simulator world"))

StepReceiver = Literal["optimizer", "scaler", "engine", "scheduler", "other"]

STEP_RECEIVERS: Final[dict[str, StepReceiver]] = {
    **dict.fromkeys(names("opt optim optimizer optimizers optimiser optimisers opts adam adamw sgd"), "optimizer"),
    **dict.fromkeys(names("scaler gradscaler"), "scaler"),
    **dict.fromkeys(names("engine deepspeed"), "engine"),
    **dict.fromkeys(names("lr scheduler schedulers sched schedule annealer warmup"), "scheduler"),
    **dict.fromkeys(
        names("""
            agent bar clock counter ema env envs environment game meter pbar prof profiler progress sampler sim
            simulator stepper stopper timer tqdm tracker world
        """),
        "other",
    ),
}


@lru_cache(maxsize=1 << 16)
def words(identifier: str) -> tuple[str, ...]:
    """The words of a name in snake_case or CamelCase, in lower case, without digits; `testloader` and its like are two."""
    return tuple(word for part in _PART.findall(identifier) for word in _halves(part.lower()))


def _halves(part: str) -> tuple[str, ...]:
    compound = _COMPOUND.fullmatch(part)
    return (part,) if compound is None else compound.groups()


_PART: Final = re.compile(
    r"(?<![^\W_])d_model(?![^\W_])|[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+"
)
_COMPOUND: Final = re.compile(
    "(train|test|valid|val|eval|dev|infer)"
    "(acc|batch|batches|data|dataloader|dataset|dl|ds|epoch|gen|iter|loader|loaders|loss|model|net|set|sets|step)"
)


def names_eval_mode(identifier: str) -> bool:
    """Whether an option chooses a module's mode, and no phase of the program, by its name: `G_eval_mode`."""
    return {"eval", "mode"} <= set(words(identifier)) or {"evaluation", "mode"} <= set(words(identifier))


def step_receiver(identifier: str) -> StepReceiver | None:
    """What the owner of a `step()` is by its name. The last word that says something decides: `optimizer_scheduler`
    is a scheduler; but `lr_opt` stays an optimizer and `optG` is one."""
    said = [STEP_RECEIVERS[word] for word in words(identifier) if word in STEP_RECEIVERS]
    return said[-1] if said else None
