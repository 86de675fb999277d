"""Functions that find a class or a function by its dotted name, and call it.

    net = dnnlib.util.construct_class_by_name(class_name="training.networks.Net", channels=3)
    net = hydra.utils.instantiate({"_target_": "training.networks.Net", "channels": 3})

Where the name is a literal, or a dict of literals that the path knows, the call is followed like one of the class itself.
A bare name stands for a function of the project, too: a project often brings a copy of it.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import Namer, Parameter, Table

EDM = "https://github.com/NVlabs/edm/blob/main/dnnlib/util.py"
HYDRA = "https://hydra.cc/docs/advanced/instantiate_objects/overview/"

NAMERS = (
    Namer("construct_class_by_name", Parameter("class_name", None), "constructs the class of that name", EDM),
    Namer("call_func_by_name", Parameter("func_name", None), "calls the function of that name", EDM),
    *(
        Namer(name, Parameter("config", 0), "constructs the target that a configuration names", HYDRA, key="_target_")
        for name in ("hydra.utils.instantiate", "hydra.utils.call")
    ),
)

TABLE = Table(namers=NAMERS)
