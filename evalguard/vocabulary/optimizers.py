"""Optimizers of packages that hold little else. Their first argument brings the parameters."""

from __future__ import annotations

from evalguard.vocabulary.terms import Optimizer, Parameter, Scheduler, Step, Table

PARAMETERS = Parameter("params", 0, required=True)
OF_PARAMETERS = "an optimizer of the parameters given"

CLASSES = (
    ("torch_optimizer.[A-Z]*", "https://pytorch-optimizers.readthedocs.io"),
    ("pytorch_optimizer.[A-Z]*", "https://pytorch-optimizers.readthedocs.io"),
    ("bitsandbytes.optim.[A-Z]*", "https://huggingface.co/docs/bitsandbytes/main/en/reference/optim/optim_overview"),
    ("lion_pytorch.Lion", "https://github.com/lucidrains/lion-pytorch"),
    ("adabelief_pytorch.AdaBelief", "https://github.com/juntang-zhuang/Adabelief-Optimizer"),
    ("adabound.AdaBound", "https://github.com/Luolc/AdaBound"),
    ("adamp.AdamP", "https://github.com/clovaai/AdamP"),
    ("adamp.SGDP", "https://github.com/clovaai/AdamP"),
    ("adan_pytorch.Adan", "https://github.com/lucidrains/Adan-pytorch"),
    ("came_pytorch.CAME", "https://github.com/yangluo7/CAME"),
    ("dadaptation.DAdaptAdam", "https://github.com/facebookresearch/dadaptation"),
    ("dadaptation.DAdaptLion", "https://github.com/facebookresearch/dadaptation"),
    ("dadaptation.DAdaptSGD", "https://github.com/facebookresearch/dadaptation"),
    ("galore_torch.GaLoreAdamW", "https://github.com/jiaweizzhao/GaLore"),
    ("galore_torch.GaLoreAdamW8bit", "https://github.com/jiaweizzhao/GaLore"),
    ("madgrad.MADGRAD", "https://github.com/facebookresearch/madgrad"),
    ("prodigyopt.Prodigy", "https://github.com/konstmish/prodigy"),
    ("radam.RAdam", "https://github.com/LiyuanLucasLiu/RAdam"),
    ("ranger.Ranger", "https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer"),
    ("ranger21.Ranger21", "https://github.com/lessw2020/Ranger21"),
    ("sophia.SophiaG", "https://github.com/Liuhong99/Sophia"),
    ("colossalai.nn.optimizer.HybridAdam", "https://colossalai.org/docs/basics/booster_api"),
    ("gpytorch.optim.NGD", "https://docs.gpytorch.ai/en/stable/optim.html"),
    ("geoopt.optim.RiemannianAdam", "https://geoopt.readthedocs.io/en/latest/optimizers.html"),
    ("geoopt.optim.RiemannianSGD", "https://geoopt.readthedocs.io/en/latest/optimizers.html"),
)

OPTIMIZERS = (
    *(Optimizer(name, PARAMETERS, OF_PARAMETERS, link) for name, link in CLASSES),
    Optimizer(
        "schedulefree.[A-Z]*",
        PARAMETERS,
        "an optimizer of the parameters given; it has a train() and an eval() of its own, which switch no module",
        "https://github.com/facebookresearch/schedule_free",
    ),
    Optimizer(
        "torchcontrib.optim.SWA",
        Parameter("optimizer", 0, required=True),
        "steps the optimizer given and averages its weights",
        "https://github.com/pytorch/contrib/blob/master/torchcontrib/optim/swa.py",
    ),
    *(
        Optimizer(
            f"mmengine.optim.{name}",
            Parameter("optimizer", 0, required=True),
            "steps the optimizer given",
            "https://mmengine.readthedocs.io/en/latest/tutorials/optim_wrapper.html",
        )
        for name in ("AmpOptimWrapper", "ApexOptimWrapper", "OptimWrapper")
    ),
    Optimizer(
        "pcgrad.PCGrad",
        Parameter("optimizer", 0, required=True),
        "steps the optimizer given",
        "https://github.com/WeiChengTseng/Pytorch-PCGrad",
    ),
    Optimizer(
        "detectron2.solver.build_optimizer",
        Parameter("model", 1, required=True),
        "makes an optimizer of the model's parameters",
        "https://detectron2.readthedocs.io/en/latest/modules/solver.html",
        takes="model",
    ),
    *(
        Optimizer(
            name,
            Parameter("model", 0, required=True),
            "makes an optimizer of the model's parameters",
            "https://mmengine.readthedocs.io/en/latest/tutorials/optim_wrapper.html",
            takes="model",
        )
        for name in ("mmcv.runner.build_optimizer", "mmengine.optim.build_optim_wrapper")
    ),
)

STEPS = (
    Step(
        "update_params",
        "receiver",
        "of mmengine's OptimWrapper: computes the gradients of the loss, and steps at the end of an accumulation",
        "https://mmengine.readthedocs.io/en/latest/tutorials/optim_wrapper.html",
        loss=Parameter("loss", 0, required=True),
    ),
)

SCHEDULERS = tuple(
    Scheduler(name, "its step changes the learning rate", link)
    for name, link in (
        ("warmup_scheduler.GradualWarmupScheduler", "https://github.com/ildoonet/pytorch-gradual-warmup-lr"),
        ("pytorch_warmup.LinearWarmup", "https://tony-y.github.io/pytorch_warmup"),
        ("pytorch_warmup.ExponentialWarmup", "https://tony-y.github.io/pytorch_warmup"),
        (
            "cosine_annealing_warmup.CosineAnnealingWarmupRestarts",
            "https://github.com/katsura-jp/pytorch-cosine-annealing-with-warmup",
        ),
        ("pl_bolts.optimizers.lr_scheduler.LinearWarmupCosineAnnealingLR", "https://lightning-bolts.readthedocs.io"),
        ("detectron2.solver.build_lr_scheduler", "https://detectron2.readthedocs.io/en/latest/modules/solver.html"),
    )
)

TABLE = Table(optimizers=OPTIMIZERS, schedulers=SCHEDULERS, steps=STEPS)
