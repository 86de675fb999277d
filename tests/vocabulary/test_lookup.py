"""The tables: complete, without doubles, and right in the cases that the analysis leans on.

Where PyTorch is installed, its own classes and signatures are the witness; elsewhere those tests are skipped.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import fields

from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Alias, Functional, Layer, Table
from evalguard.vocabulary.words import EVALUATION_WORDS, MODULE_WORDS, TRAINING_WORDS, step_receiver, words

TORCH_MISSING = importlib.util.find_spec("torch") is None
needs_torch = pytest.mark.skipif(TORCH_MISSING, reason="PyTorch is not installed")


def kinds() -> list[tuple[str, list[Any]]]:
    return [
        (kind.name, [entry for table in lookup.TABLES for entry in getattr(table, kind.name)]) for kind in fields(Table)
    ]


@pytest.mark.parametrize(("kind", "entries"), kinds(), ids=[kind for kind, _ in kinds()])
def test_every_entry_says_why_and_proves_it(kind: str, entries: list[Any]) -> None:
    assert entries, kind
    for entry in entries:
        assert entry.why, entry
        assert entry.link.startswith(("https://", "http://")), entry
        assert "\n" not in entry.why, entry


@pytest.mark.parametrize(("kind", "entries"), kinds(), ids=[kind for kind, _ in kinds()])
def test_no_name_twice(kind: str, entries: list[Any]) -> None:
    counted = Counter(entry.old if isinstance(entry, Alias) else entry.name for entry in entries)
    assert [name for name, number in counted.items() if number > 1] == []


def test_no_entry_hides_behind_an_alias() -> None:
    for kind, entries in kinds():
        if kind == "aliases":
            continue
        hidden = [
            entry.name for entry in entries if "*" not in entry.name and lookup.canonical(entry.name) != entry.name
        ]
        assert hidden == [], kind


def test_aliases_come_to_an_end() -> None:
    for table in lookup.TABLES:
        for alias in table.aliases:
            once = lookup.canonical(alias.old + ".Name")
            assert lookup.canonical(once) == once, alias


@pytest.mark.parametrize(
    ("dotted", "name"),
    [
        ("torch.nn.modules.dropout.Dropout", "torch.nn.Dropout"),
        ("torch.nn.modules.Dropout", "torch.nn.Dropout"),
        ("torch.optim.adam.Adam", "torch.optim.Adam"),
        ("torch.optim.lr_scheduler.StepLR", "torch.optim.lr_scheduler.StepLR"),
        ("torch.autograd.grad_mode.no_grad", "torch.no_grad"),
        ("torch.autograd.no_grad", "torch.no_grad"),
        ("torch.nn.parallel.distributed.DistributedDataParallel", "torch.nn.parallel.DistributedDataParallel"),
        ("pytorch_lightning.LightningModule", "lightning.pytorch.LightningModule"),
        ("pytorch_lightning.core.lightning.LightningModule", "lightning.pytorch.LightningModule"),
        ("lightning.LightningModule", "lightning.pytorch.LightningModule"),
        ("timm.models.layers.drop.DropPath", "timm.layers.DropPath"),
        ("torchvision.models.resnet.resnet18", "torchvision.models.resnet18"),
        ("torch_geometric.nn.conv.gcn_conv.GCNConv", "torch_geometric.nn.GCNConv"),
        ("fastai.vision.all.Learner", "fastai.Learner"),
        ("numpy.mean", "numpy.mean"),
        ("model", "model"),
    ],
)
def test_canonical(dotted: str, name: str) -> None:
    assert lookup.canonical(dotted) == name


@pytest.mark.parametrize(
    ("dotted", "positional", "keywords", "depends"),
    [
        ("torch.nn.Linear", (3, 4), {}, False),
        ("torch.nn.Dropout", (), {}, True),
        ("torch.nn.Dropout", (0.0,), {}, False),
        ("torch.nn.Dropout", (), {"p": 0}, False),
        ("torch.nn.Dropout", (lookup.ARGUMENT_UNKNOWN,), {}, None),
        ("torch.nn.BatchNorm2d", (64,), {}, True),
        ("torch.nn.BatchNorm2d", (64,), {"track_running_stats": False}, False),
        ("torch.nn.InstanceNorm2d", (64,), {}, False),
        ("torch.nn.InstanceNorm2d", (64,), {"track_running_stats": True}, True),
        ("torch.nn.LazyInstanceNorm2d", (), {}, True),
        ("torch.nn.LSTM", (8, 8), {}, False),
        ("torch.nn.LSTM", (8, 8, 2), {"dropout": 0.5}, True),
        ("torch.nn.LSTM", (8, 8), {"dropout": 0.5}, False),
        ("torch.nn.LSTM", (8, 8), {"num_layers": lookup.ARGUMENT_UNKNOWN, "dropout": 0.5}, None),
        ("torch.nn.GRU", (8, 8, 2, True, False, 0.1), {}, True),
        ("torch.nn.RNN", (8, 8, 2, "tanh", True, False, 0.1), {}, True),
        ("torch.nn.MultiheadAttention", (8, 2), {}, False),
        ("torch.nn.MultiheadAttention", (8, 2, 0.1), {}, True),
        ("torch.nn.TransformerEncoderLayer", (8, 2), {}, True),
        ("torch.nn.TransformerEncoderLayer", (8, 2), {"dropout": 0.0}, False),
        ("torch.nn.TransformerEncoder", (), {}, None),
        ("torch.nn.Sequential", (), {}, None),
        ("timm.layers.DropPath", (), {}, False),
        ("timm.layers.DropPath", (0.1,), {}, True),
        ("torchvision.ops.FrozenBatchNorm2d", (64,), {}, False),
        ("torchvision.ops.StochasticDepth", (0.2, "row"), {}, True),
        ("mmcv.cnn.ConvModule", (3, 8, 3), {}, False),
        ("mmcv.cnn.ConvModule", (3, 8, 3), {"norm_cfg": lookup.ARGUMENT_UNKNOWN}, None),
        ("torch_geometric.nn.GATConv", (8, 8), {"dropout": 0.6}, True),
        ("torch_geometric.nn.conv.han_conv.HANConv", (8, 8, "metadata"), {}, False),
        ("torch_geometric.nn.RGATConv", (8, 8, 3), {"dropout": 0.5}, True),
        ("torch_geometric.nn.CGConv", (8,), {}, False),
        ("torch_geometric.nn.CGConv", (8,), {"batch_norm": True}, True),
        ("torch_geometric.nn.GENConv", (8, 8), {}, True),
        ("torch_geometric.nn.DirGNNConv", (lookup.ARGUMENT_UNKNOWN,), {}, None),
    ],
)
def test_a_layer_depends_on_the_mode(
    dotted: str, positional: tuple[object, ...], keywords: dict[str, object], depends: bool | None
) -> None:
    found = lookup.layer(dotted)
    assert found is not None
    assert lookup.depends_on_mode(found, positional, keywords) is depends


@pytest.mark.parametrize(
    ("dotted", "positional", "keywords", "depends"),
    [
        ("torch.nn.functional.dropout", ("x",), {"training": lookup.ARGUMENT_UNKNOWN}, True),
        ("torch.nn.functional.dropout", ("x", 0.5, lookup.ARGUMENT_UNKNOWN), {}, True),
        ("torch.nn.functional.dropout", ("x",), {}, False),
        ("torch.nn.functional.dropout", ("x", 0.0), {"training": lookup.ARGUMENT_UNKNOWN}, False),
        ("torch.nn.functional.scaled_dot_product_attention", ("q", "k", "v"), {}, False),
        ("torch.nn.functional.scaled_dot_product_attention", ("q", "k", "v"), {"dropout_p": 0.1}, False),
        ("timm.layers.drop_path", ("x", 0.1, lookup.ARGUMENT_UNKNOWN), {}, True),
    ],
)
def test_a_function_depends_on_its_flag(
    dotted: str, positional: tuple[object, ...], keywords: dict[str, object], depends: bool | None
) -> None:
    found = lookup.functional(dotted)
    assert found is not None
    assert lookup.depends_on_mode(found, positional, keywords) is depends


@pytest.mark.parametrize(
    ("dotted", "mode"),
    [
        ("torchvision.models.resnet50", "train"),
        ("torchvision.models.segmentation.fcn_resnet50", "train"),
        ("torchvision.models.get_model", "train"),
        ("torchvision.models.list_models", None),
        ("torchvision.models.ResNet", None),
        ("torchvision.models.quantization.resnet18", "unknown"),
        ("timm.create_model", "train"),
        ("timm.models.vision_transformer.vit_base_patch16_224", "train"),
        ("timm.list_models", None),
        ("torch.hub.load", "train"),
        ("torch.load", "unknown"),
        ("torch.jit.load", "unknown"),
        ("transformers.AutoModel.from_pretrained", "eval"),
        ("transformers.models.bert.modeling_bert.BertModel.from_pretrained", "eval"),
        ("transformers.AutoModelForCausalLM.from_config", "train"),
        ("transformers.AutoTokenizer.from_pretrained", None),
        ("transformers.BertTokenizerFast.from_pretrained", None),
        ("transformers.CLIPProcessor.from_pretrained", None),
        ("transformers.BertConfig.from_pretrained", None),
        ("transformers.TFBertModel.from_pretrained", None),
        ("diffusers.UNet2DConditionModel.from_pretrained", "eval"),
        ("diffusers.StableDiffusionPipeline.from_pretrained", "eval"),
        ("diffusers.DDPMScheduler.from_pretrained", None),
        ("sentence_transformers.SentenceTransformer", "unknown"),
        ("clip.load", "eval"),
        ("open_clip.create_model_and_transforms", "train"),
        ("segmentation_models_pytorch.Unet", "train"),
        ("efficientnet_pytorch.EfficientNet.from_pretrained", "train"),
        ("facenet_pytorch.InceptionResnetV1", "train"),
        ("mmdet.apis.init_detector", "eval"),
        ("trl.AutoModelForCausalLMWithValueHead.from_pretrained", "unknown"),
        ("peft.auto.AutoPeftModelForCausalLM.from_pretrained", "eval"),
        ("fairseq.models.transformer.TransformerModel.from_pretrained", "unknown"),
        ("detectron2.engine.defaults.DefaultPredictor", "eval"),
        ("fastai.vision.all.vision_learner", "train"),
        ("numpy.load", None),
    ],
)
def test_a_factory_returns_a_mode(dotted: str, mode: str | None) -> None:
    found = lookup.factory(dotted)
    assert (found.mode if found else None) == mode


def test_where_the_module_is_in_the_result() -> None:
    parts = {
        "clip.load": "first",
        "timm.create_model": "value",
        "diffusers.StableDiffusionPipeline.from_pretrained": "attributes",
    }
    assert {dotted: getattr(lookup.factory(dotted), "part", None) for dotted in parts} == parts


def test_the_unknown() -> None:
    assert lookup.from_pretrained_mode("mylib.Model.from_pretrained") == "unknown"
    assert lookup.ordinary("transformers.AutoTokenizer.from_pretrained") is not None
    assert lookup.ordinary("transformers.AutoModel.from_pretrained") is None
    assert lookup.hub_repository("pytorch/vision:v0.10.0") is None
    assert getattr(lookup.hub_repository("ultralytics/yolov5:master"), "mode", None) == "eval"
    assert lookup.hub_repository(lookup.ARGUMENT_UNKNOWN) is None
    assert lookup.layer("mylib.Layer") is None
    assert lookup.framework_base("object") is None


def test_gradients() -> None:
    effects = {
        "torch.no_grad": "off",
        "torch.enable_grad": "on",
        "torch.inference_mode": "argument",
        "torch.autograd.set_grad_enabled": "argument",
    }
    assert {dotted: getattr(lookup.gradients(dotted), "effect", None) for dotted in effects} == effects
    setter = lookup.gradients("torch.set_grad_enabled")
    assert setter is not None
    assert setter.acts_when_called


def test_wrappers() -> None:
    relations = {
        "torch.nn.DataParallel": "shares",
        "torch.nn.parallel.DataParallel": "shares",
        "torch.compile": "shares",
        "torch.nn.SyncBatchNorm.convert_sync_batchnorm": "same",
        "copy.deepcopy": "copy",
        "timm.utils.ModelEmaV2": "copy",
        "deepspeed.initialize": "shares",
        "apex.amp.initialize": "same",
        "torch.distributed._composable.fsdp.fully_shard": "same",
        "trl.models.create_reference_model": "copy",
        "peft.mapping_func.get_peft_model": "shares",
        "mmengine.model.ExponentialMovingAverage": "copy",
        "ray.train.torch.prepare_model": "shares",
    }
    assert {dotted: getattr(lookup.wrapper(dotted), "relation", None) for dotted in relations} == relations
    assert getattr(lookup.wrapper("timm.utils.ModelEmaV2"), "mode", None) == "eval"
    assert getattr(lookup.wrapper("ignite.handlers.EMAHandler"), "attribute", None) == "ema_model"
    assert getattr(lookup.wrapper("torch.nn.utils.spectral_norm"), "sensitive", None) is True
    assert getattr(lookup.wrapper_method("prepare"), "part", None) == "arguments"
    assert lookup.wrapper_method("fit") is None


def test_optimizers_and_schedulers() -> None:
    assert lookup.optimizer_class("torch.optim.SGD")
    assert not lookup.optimizer_class("torch.optim.lr_scheduler.StepLR")
    assert lookup.scheduler("torch.optim.lr_scheduler.StepLR") is not None
    assert getattr(lookup.optimizer("timm.optim.create_optimizer_v2"), "takes", None) == "either"
    assert lookup.scheduler("transformers.optimization.get_linear_schedule_with_warmup") is not None
    assert lookup.scheduler("diffusers.optimization.get_cosine_schedule_with_warmup") is not None
    assert lookup.optimizer_class("ignite.distributed.auto_optim")
    assert lookup.optimizer_class("mmengine.optim.AmpOptimWrapper")


def test_frameworks() -> None:
    module = lookup.framework_base("pytorch_lightning.LightningModule")
    assert module is not None
    assert module.module
    assert lookup.hook_mode(module, "training_step") == "train"
    assert lookup.hook_mode(module, "validation_step") == "eval"
    assert lookup.hook_mode(module, "configure_optimizers") is None
    trainer = lookup.framework_base("transformers.Trainer")
    assert trainer is not None
    assert not trainer.module
    assert lookup.hook_mode(trainer, "compute_loss") == "managed"
    assert getattr(lookup.framework_call("pytorch_lightning.Trainer.fit"), "trains", None) is True
    assert lookup.not_torch("tensorflow.keras.layers.Dropout") is not None
    assert lookup.not_torch("torch.nn.Dropout") is None


@pytest.mark.parametrize(
    ("base", "method", "mode"),
    [
        ("lightning.pytorch.LightningModule", "on_validation_end", "eval"),  # the modes are given back after it
        ("lightning.pytorch.LightningModule", "on_train_epoch_end", "train"),
        ("lightning.pytorch.LightningModule", "configure_model", None),
        ("pytorch_lightning.callbacks.ModelCheckpoint", "on_test_start", "eval"),
        ("transformers.trainer.Trainer", "prediction_step", "eval"),
        ("transformers.trainer_callback.TrainerCallback", "on_step_end", "managed"),
        ("trl.SFTTrainer", "compute_loss", "managed"),
        ("trl.trainer.grpo_trainer.GRPOTrainer", "compute_loss", "managed"),
        ("trl.experimental.ppo.PPOTrainer", "prediction_step", "eval"),
        ("skorch.NeuralNet", "train_step", "managed"),
        ("skorch.probabilistic.ExactGPRegressor", "get_loss", "managed"),
        ("skorch.callbacks.base.Callback", "on_epoch_end", "managed"),
        ("mmengine.model.BaseModel", "train_step", "train"),
        ("mmengine.model.BaseModel", "val_step", "eval"),
        ("mmengine.hooks.Hook", "after_val_epoch", "eval"),
        ("mmpretrain.models.BaseClassifier", "predict", "eval"),
        ("catalyst.runners.runner.Runner", "handle_batch", "managed"),
        ("catalyst.core.callback.Callback", "on_loader_end", "managed"),
        ("fairseq.tasks.fairseq_task.FairseqTask", "valid_step", "managed"),
        ("detectron2.engine.train_loop.SimpleTrainer", "run_step", "train"),
        ("monai.engines.evaluator.EnsembleEvaluator", "_iteration", "managed"),
        ("ultralytics.engine.trainer.BaseTrainer", "validate", "managed"),
        ("fastai.callback.core.Callback", "before_validate", "eval"),
    ],
)
def test_a_framework_calls_a_hook_in_a_mode(base: str, method: str, mode: str | None) -> None:
    framework = lookup.framework_base(base)
    assert framework is not None
    assert lookup.hook_mode(framework, method) == mode


@pytest.mark.parametrize(
    ("call", "leaves"),
    [
        ("lightning.Trainer.fit", None),
        ("lightning.pytorch.tuner.Tuner.lr_find", None),
        ("transformers.Trainer.train", "unknown"),
        ("trl.trainer.dpo_trainer.DPOTrainer.evaluate", "eval"),
        ("trl.PPOTrainer.step", "unknown"),
        ("fastai.Learner.fit_one_cycle", "unknown"),
        ("fastai.Learner.get_preds", "eval"),
        ("ignite.engine.create_supervised_trainer", "unknown"),
        ("ignite.contrib.engines.tbptt.create_supervised_tbptt_trainer", "unknown"),
        ("mmengine.runner.runner.Runner.val", "eval"),
        ("catalyst.dl.SupervisedRunner.predict_loader", "eval"),
        ("detectron2.engine.DefaultTrainer.test", None),
        ("fvcore.nn.precise_bn.update_bn_stats", None),
        ("fairseq.sequence_generator.SequenceGenerator", "eval"),
        ("ultralytics.models.yolo.model.YOLO.train", "unknown"),
        ("torch.optim.swa_utils.update_bn", None),
    ],
)
def test_a_framework_leaves_a_mode(call: str, leaves: str | None) -> None:
    found = lookup.framework_call(call)
    assert found is not None
    assert found.leaves == leaves


def test_self_moding_methods_and_managers() -> None:
    modes = {
        "skorch.NeuralNetClassifier.predict": "eval",
        "skorch.NeuralNetClassifier.score": "eval",
        "lightning.LightningModule.freeze": "eval",
        "lightning.LightningModule.unfreeze": "train",
        "sentence_transformers.SentenceTransformer.encode": "eval",
    }
    assert {name: getattr(lookup.self_moding(name), "leaves", None) for name in modes} == modes
    managers = {"monai.networks.utils.eval_mode": ("eval", True), "monai.networks.train_mode": ("train", True)}
    found = {name: lookup.mode_manager(name) for name in managers}
    assert {name: entry and (entry.mode, entry.restores) for name, entry in found.items()} == managers
    assert lookup.runner("monai.inferers.inferer.SlidingWindowInferer.__call__") is not None
    assert lookup.runner("torch.utils.checkpoint.checkpoint") is not None


def test_steps_and_backwards() -> None:
    assert getattr(lookup.step("update_params"), "loss", None) is not None
    assert getattr(lookup.step("torch.cuda.amp.GradScaler.step"), "optimizer", None) is not None
    assert lookup.step("update") is None
    assert lookup.backward("ray.train.torch.backward") is not None
    assert lookup.backward("manual_backward") is not None
    assert lookup.backward("forward") is None


@pytest.mark.parametrize(
    "dotted",
    [
        "transformers.BertForSequenceClassification",
        "transformers.PreTrainedModel",
        "diffusers.UNet2DConditionModel",
        "gpytorch.module.Module",
        "gpytorch.models.ExactGP",
        "gpytorch.variational.VariationalStrategy",
        "monai.losses.DiceLoss",
        "torch_geometric.nn.GraphUNet",
        "fairseq.models.FairseqEncoderDecoderModel",
    ],
)
def test_a_class_of_a_library_is_a_module(dotted: str) -> None:
    assert lookup.module_class(dotted) is not None


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("valLoader2", ("val", "loader")),
        ("run_one_epoch", ("run", "one", "epoch")),
        ("MyGANModel", ("my", "gan", "model")),
        ("netG", ("net", "g")),
        ("CNNs", ("cnns",)),
        ("testloader", ("test", "loader")),
        ("valset", ("val", "set")),
        ("self.d_model", ("self", "d_model")),
        ("old_model", ("old", "model")),
        ("validation", ("validation",)),
        ("evaluate", ("evaluate",)),
        ("dataloader", ("dataloader",)),
        ("__init__", ("init",)),
        ("_", ()),
    ],
)
def test_words(identifier: str, expected: tuple[str, ...]) -> None:
    assert words(identifier) == expected


def test_words_are_words() -> None:
    for listed in (EVALUATION_WORDS, TRAINING_WORDS, MODULE_WORDS):
        assert [word for word in listed if words(word) != (word,)] == []
    assert not EVALUATION_WORDS & TRAINING_WORDS


def test_what_steps() -> None:
    said = {"optimizer_G": "optimizer", "optim_scheduler": "scheduler", "scaler": "scaler", "env": "other", "x": None}
    assert {identifier: step_receiver(identifier) for identifier in said} == said


def torch_layers() -> list[Layer]:
    return [entry for table in lookup.TABLES for entry in table.layers if entry.name.startswith("torch.nn.")]


@needs_torch
def test_every_module_class_of_torch_is_known() -> None:
    import torch

    for name, found in vars(torch.nn).items():
        if inspect.isclass(found) and issubclass(found, torch.nn.Module) and name not in ("Container", "RNNCellBase"):
            dotted = f"torch.nn.{name}"
            assert lookup.layer(dotted) or lookup.wrapper(dotted), dotted
            assert lookup.canonical(f"{found.__module__}.{name}") == dotted


@needs_torch
def test_sensitive_layers_read_the_mode_and_no_others() -> None:
    import torch

    for entry in torch_layers():
        found = getattr(torch.nn, entry.name.rpartition(".")[2], None)
        if found is None or entry.name in (
            "torch.nn.RNNBase",
            "torch.nn.Transformer",
            "torch.nn.TransformerDecoderLayer",
        ):
            continue  # newer than this PyTorch, or it hands the mode on: to its subclass, to its children
        bases = [
            base for base in found.__mro__ if base.__module__.startswith("torch.nn") and base is not torch.nn.Module
        ]
        reads = any("self.training" in inspect.getsource(base) for base in bases)
        assert reads == (entry.sensitivity in ("always", "argument")), entry.name


@needs_torch
def test_arguments_are_where_the_signatures_have_them() -> None:
    import torch

    for entry in torch_layers():
        found = getattr(torch.nn, entry.name.rpartition(".")[2], None)
        signature = inspect.signature(found.__init__) if found is not None else None
        if signature is None or "args" in signature.parameters:
            continue
        listed = list(signature.parameters)[1:]
        for rule in entry.rules:
            assert listed.index(rule.parameter.keyword) == rule.parameter.position, entry.name
            assert signature.parameters[rule.parameter.keyword].default == rule.parameter.default, entry.name


@needs_torch
def test_flags_are_where_the_signatures_have_them() -> None:
    import torch

    functionals: list[Functional] = [entry for table in lookup.TABLES for entry in table.functionals]
    for entry in functionals:
        found = getattr(torch.nn.functional, entry.name.rpartition(".")[2], None)
        if not entry.name.startswith("torch.nn.functional.") or not inspect.isfunction(found):
            continue
        signature = inspect.signature(found)
        for parameter in (entry.flag, *(rule.parameter for rule in entry.rules)):
            assert list(signature.parameters).index(parameter.keyword) == parameter.position, entry.name
            assert parameter.required or signature.parameters[parameter.keyword].default == parameter.default, (
                entry.name
            )


SAMPLES: dict[str, tuple[tuple[object, ...], tuple[int, ...]]] = {
    "AvgPool2d": ((2,), (2, 4, 8, 8)),
    "Bilinear": ((4, 4, 4), (2, 4)),
    "ChannelShuffle": ((2,), (2, 4, 8, 8)),
    "Conv2d": ((4, 4, 3), (2, 4, 8, 8)),
    "ConvTranspose2d": ((4, 4, 3), (2, 4, 8, 8)),
    "CrossMapLRN2d": ((2,), (2, 4, 8, 8)),
    "ELU": ((), (2, 4)),
    "Flatten": ((), (2, 4)),
    "GELU": ((), (2, 4)),
    "GRUCell": ((4, 4), (2, 4)),
    "GroupNorm": ((2, 4), (2, 4, 8, 8)),
    "Hardswish": ((), (2, 4)),
    "Identity": ((), (2, 4)),
    "LSTMCell": ((4, 4), (2, 4)),
    "LayerNorm": ((4,), (2, 4)),
    "LeakyReLU": ((), (2, 4)),
    "Linear": ((4, 4), (2, 4)),
    "LocalResponseNorm": ((2,), (2, 4, 8, 8)),
    "MaxPool2d": ((2,), (2, 4, 8, 8)),
    "PReLU": ((), (2, 4)),
    "PixelShuffle": ((2,), (2, 4, 8, 8)),
    "SELU": ((), (2, 4)),
    "SiLU": ((), (2, 4)),
    "Softmax": ((1,), (2, 4)),
    "Upsample": ((None, 2), (2, 4, 8, 8)),
    "ZeroPad2d": ((1,), (2, 4, 8, 8)),
}


@needs_torch
@pytest.mark.parametrize("short", SAMPLES)
def test_layers_without_a_mode_compute_the_same(short: str) -> None:
    import torch

    found = lookup.layer(f"torch.nn.{short}")
    assert found is not None
    assert found.sensitivity == "never"
    arguments, shape = SAMPLES[short]
    layer = getattr(torch.nn, short)(*arguments)
    inputs = [torch.randn(shape) for _ in range(2 if short == "Bilinear" else 1)]
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    with torch.no_grad():
        trained, evaluated = layer.train()(*inputs), layer.eval()(*inputs)
    pairs = zip(trained, evaluated, strict=True) if isinstance(trained, tuple) else [(trained, evaluated)]
    assert all(torch.equal(one, other) for one, other in pairs)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@needs_torch
@pytest.mark.parametrize(
    ("short", "arguments", "shape"),
    [
        ("Dropout", (), (64, 64)),
        ("AlphaDropout", (), (64, 64)),
        ("RReLU", (), (64, 64)),
        ("BatchNorm1d", (64,), (64, 64)),
        ("TransformerEncoderLayer", (64, 2), (8, 8, 64)),
    ],
)
def test_layers_with_a_mode_do_not(short: str, arguments: tuple[object, ...], shape: tuple[int, ...]) -> None:
    import torch

    found = lookup.layer(f"torch.nn.{short}")
    assert found is not None
    assert lookup.depends_on_mode(found, arguments) is True
    layer = getattr(torch.nn, short)(*arguments)
    with torch.no_grad():
        inputs = torch.randn(shape)
        assert not torch.equal(layer.train()(inputs), layer.eval()(inputs))


@pytest.mark.parametrize(
    ("dotted", "positional", "keywords", "effect"),
    [
        ("torch.jit.trace", (), {}, "keeps"),
        ("torch.jit._trace.trace", (), {}, "keeps"),
        ("torch.jit.script", (), {}, "listens"),
        ("torch.jit.freeze", (), {}, "refuses"),
        ("torch._export.export", (), {}, "keeps"),
        ("torch.quantization.convert", (), {}, "listens"),
        ("torch.quantization.quantize_fx.prepare_fx", (), {}, "refuses"),
        ("torch.onnx.export", (), {}, "switches"),
        ("torch.onnx.utils.export", (), {}, "switches"),
        ("torch.onnx.export", (), {"training": None}, "switches"),
        ("torch.onnx.export", (), {"training": "torch.onnx.TrainingMode.EVAL"}, "switches"),
        ("torch.onnx.export", (), {"training": "torch.onnx.TrainingMode.PRESERVE"}, "preserves"),
        ("torch.onnx.export", (), {"training": "torch.onnx.TrainingMode.TRAINING"}, "chosen"),
        ("torch.onnx.export", (), {"training": lookup.ARGUMENT_UNKNOWN}, "chosen"),
        ("torch.onnx.export", ("m", "x", "f", True, False, True), {}, "chosen"),
        ("torch.onnx.export", ("m", "x", "f", True, False, False), {}, "switches"),
        ("torch.onnx.export", (), {"dynamo": True, "training": "torch.onnx.TrainingMode.EVAL"}, "keeps"),
        ("torch.onnx.export", (), {"dynamo": False}, "switches"),
        ("torch.onnx.export", (), {"dynamo": lookup.ARGUMENT_UNKNOWN}, "switches"),
        ("torch.onnx.export", (), {"dynamic_shapes": lookup.ARGUMENT_UNKNOWN}, "keeps"),
        ("torch.onnx.export", (), {"dynamic_shapes": None}, "switches"),
    ],
)
def test_what_an_exporter_does_about_the_mode(
    dotted: str, positional: tuple[object, ...], keywords: dict[str, object], effect: str
) -> None:
    found = lookup.exporter(dotted)
    assert found is not None
    assert lookup.export_effect(found, positional, keywords) == effect


@pytest.mark.parametrize("dotted", ["torch.compile", "torch.fx.symbolic_trace", "torch.export.export_for_training"])
def test_no_exporter(dotted: str) -> None:
    assert lookup.exporter(dotted) is None
