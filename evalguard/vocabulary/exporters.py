"""What writes a module down for use elsewhere, and what it does about the mode.

Three things may happen to a module in train mode. A tracer runs it once and records what it did: dropout and batch
statistics are then part of the program, and no `eval()` takes them out (`keeps`). An exporter may call `eval()` itself
and restore the mode (`switches`), or raise (`refuses`): neither can be got wrong in silence. What is scripted or
converted layer by layer has a `training` of its own and still `listens`: only the file to which such a module is saved keeps
its mode, for who loads it there rarely switches it.

Left out on purpose: `torch.compile` and `torch.fx.symbolic_trace`, whose results are trained as often as not;
`torch.export.export_for_training`, `prepare_qat` and its kin, which want train mode; what only takes a program that is already
recorded (`coremltools.convert` of a traced module, `torch.export.save`, ExecuTorch, TVM).
"""

from __future__ import annotations

from collections.abc import Mapping

from evalguard.vocabulary.terms import Alias, ExportEffect, Exporter, Layer, Parameter, Rule, Table, names

DOCS = "https://docs.pytorch.org/docs/stable"
SOURCE = "https://github.com/pytorch/pytorch/blob/main/torch"
LIGHTNING = "https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/core/module.py"

MODEL = Parameter("model", 0, required=True)
MODULE = Parameter("module", 0, required=True)
MOD = Parameter("mod", 0, required=True)

DYNAMO = Rule(Parameter("dynamo", None, False))
"""`torch.onnx.export(dynamo=True)` calls `torch.export`, which keeps the mode and takes no notice of `training`. That became
the default in 2.9; which version runs is not known here, so a call that does not say is taken for one of the older:
rather a missed alarm than a false one."""

TRAINING_MODES: Mapping[str, ExportEffect] = {
    "EVAL": "switches",
    "PRESERVE": "preserves",
    "TRAINING": "chosen",
    "False": "switches",
}

ONNX = tuple(
    Exporter(
        name,
        MODEL,
        "switches",
        "puts the model in eval mode and restores its mode, unless `training` or `dynamo` say otherwise",
        f"{SOURCE}/onnx/_internal/torchscript_exporter/utils.py",
        keeps_if=DYNAMO,
        keeps_with=("dynamic_shapes",),
        option=Parameter("training", 5),
        choices=TRAINING_MODES,
    )
    for name in ("torch.onnx.export", "torch.onnx.export_to_pretty_string")
)

RECORDS = "runs the module once and records the operations of the mode that it is in"
EXPORTED = "the exported graph is specialised on the mode; its train() and eval() raise"

TORCH = (
    *ONNX,
    Exporter(
        "torch.onnx.dynamo_export",
        MODEL,
        "keeps",
        "captures the graph through TorchDynamo, in the mode that the model is in",
        "https://docs.pytorch.org/docs/2.5/onnx_dynamo.html",
    ),
    Exporter("torch.jit.trace", Parameter("func", 0, required=True), "keeps", RECORDS, f"{DOCS}/generated/torch.jit.trace.html"),
    Exporter("torch.jit.trace_module", MOD, "keeps", RECORDS, f"{DOCS}/generated/torch.jit.trace_module.html"),
    Exporter(
        "torch.jit.script",
        Parameter("obj", 0, required=True),
        "listens",
        "compiles the code, and keeps `training` as an attribute that train() and eval() change",
        f"{DOCS}/generated/torch.jit.script.html",
    ),
    Exporter(
        "torch.jit.freeze", MOD, "refuses", "raises for a module in train mode", f"{DOCS}/generated/torch.jit.freeze.html"
    ),
    Exporter(
        "torch.jit.optimize_for_inference",
        MOD,
        "switches",
        "calls eval() on the module and freezes it",
        f"{DOCS}/generated/torch.jit.optimize_for_inference.html",
        leaves="eval",
    ),
    Exporter(
        "torch.jit.save",
        Parameter("m", 0, required=True),
        "keeps",
        "`training` is saved with the module, and torch.jit.load, in Python as in C++, does not change it",
        f"{DOCS}/generated/torch.jit.save.html",
        of="torch.jit.ScriptModule",
    ),
    *(
        Exporter(
            f"torch.jit.ScriptModule.{method}",
            None,
            "keeps",
            "`training` is saved with the module, and loading it, in Python as in C++, does not change it",
            f"{DOCS}/generated/torch.jit.ScriptModule.html",
        )
        for method in names("save _save_for_lite_interpreter")
    ),
    Exporter(
        "torch.utils.mobile_optimizer.optimize_for_mobile",
        Parameter("script_module", 0, required=True),
        "switches",
        "clones the module and calls eval() on the clone",
        f"{SOURCE}/csrc/jit/passes/xnnpack_rewrite.cpp",
    ),
    *(
        Exporter(name, MOD, "keeps", EXPORTED, "https://github.com/pytorch/pytorch/issues/151726")
        for name in ("torch.export.export", "torch.export.draft_export")
    ),
    Exporter(
        "torch._dynamo.export",
        Parameter("f", 0, required=True),
        "keeps",
        "dropout stays in the graph, whatever eval() is called afterwards",
        "https://github.com/pytorch/pytorch/issues/103681",
    ),
)  # fmt: skip

QUANTIZED: tuple[tuple[str, ExportEffect, str, str], ...] = (
    ("convert", "listens", "swaps layers for quantised ones; the others have the mode they had", "quantize.py"),
    ("quantize_fx.convert_fx", "listens", "swaps the layers of a graph that was recorded before", "quantize_fx.py"),
    ("quantize_dynamic", "switches", "copies the model and calls eval() on the copy", "quantize.py"),
    ("quantize", "switches", "copies the model and calls eval() on the copy", "quantize.py"),
    ("prepare", "listens", "adds observers; what runs afterwards is judged as any inference", "quantize.py"),
    ("fuse_modules", "refuses", "fuses batch norm in eval mode only, and raises else", "fuse_modules.py"),
    ("quantize_fx.prepare_fx", "refuses", "asserts eval mode, formerly at once, now when it fuses", "quantize_fx.py"),
    ("quantize_fx.fuse_fx", "refuses", "asserts eval mode, formerly at once, now when it fuses", "quantize_fx.py"),
)
QUANTIZATION = tuple(
    Exporter(f"torch.ao.quantization.{name}", MODEL, effect, why, f"{SOURCE}/ao/quantization/{page}")
    for name, effect, why, page in QUANTIZED
)

OTHERS = (
    Exporter(
        "lightning.pytorch.LightningModule.to_onnx",
        None,
        "switches",
        "leaves the mode to torch.onnx.export, and restores it",
        LIGHTNING,
        keeps_if=DYNAMO,
    ),
    *(
        Exporter(
            f"lightning.pytorch.LightningModule.{method}",
            None,
            "switches",
            "calls eval(), exports, and restores the mode",
            LIGHTNING,
        )
        for method in ("to_torchscript", "to_tensorrt")
    ),
    Exporter(
        "torch2trt.torch2trt",
        MODULE,
        "keeps",
        "runs the module once and converts the operations that it sees; its examples call eval() first",
        "https://github.com/NVIDIA-AI-IOT/torch2trt/blob/master/torch2trt/torch2trt.py",
    ),
    Exporter(
        "torch_tensorrt.compile",
        MODULE,
        "keeps",
        "exports or scripts the module as it is, and only looks whether it is in eval mode",
        "https://github.com/pytorch/TensorRT/issues/37",
    ),
    *(
        Exporter(
            name,
            MODULE,
            "keeps",
            "exports the module as it is, and only warns of train mode",
            "https://github.com/google-ai-edge/ai-edge-torch/blob/main/ai_edge_torch/_convert/converter.py",
        )
        for name in ("ai_edge_torch.convert", "litert_torch.convert")
    ),
    *(
        Exporter(
            name,
            Parameter("input_model", 0, required=True),
            "switches",
            "calls eval() on a PyTorch module, and leaves it so",
            "https://github.com/openvinotoolkit/openvino/blob/master/src/bindings/python/src/openvino/frontend/pytorch/ts_decoder.py",
            leaves="eval",
        )
        for name in ("openvino.convert_model", "openvino.tools.ovc.convert_model", "openvino.tools.mo.convert_model")
    ),
)

ALIASES = (
    Alias("torch.onnx.utils", "torch.onnx", "defined there", f"{SOURCE}/onnx/utils.py"),
    Alias("torch.jit._trace", "torch.jit", "defined there", f"{SOURCE}/jit/_trace.py"),
    Alias("torch.jit._script", "torch.jit", "defined there", f"{SOURCE}/jit/_script.py"),
    Alias(
        "torch._export.export",
        "torch.export.export",
        "its name before it became public",
        f"{SOURCE}/_export/__init__.py",
    ),
)

LAYERS = (
    Layer(
        "torch2trt.TRTModule",
        "never",
        "runs an engine of TensorRT, which has no mode",
        "https://github.com/NVIDIA-AI-IOT/torch2trt/blob/master/torch2trt/trt_module.py",
    ),
)

TABLE = Table(exporters=(*TORCH, *QUANTIZATION, *OTHERS), layers=LAYERS, aliases=ALIASES)

TELLING = frozenset(names("dynamo_export export script to_onnx torch2trt trace trace_module"))
"""Last names of calls for which a function is worth a look; the others (`convert`, `compile`, `save`) say too little alone."""
