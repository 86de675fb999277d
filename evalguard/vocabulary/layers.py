"""Layers and module classes of smaller libraries."""

from __future__ import annotations

from evalguard.vocabulary.terms import Alias, Functional, Layer, ModuleClass, Ordinary, Parameter, Rule, Table, names

GEOMETRIC = "https://github.com/pyg-team/pytorch_geometric/blob/master/torch_geometric"
DGL = "https://www.dgl.ai/dgl_docs/api/python/nn-pytorch.html"
MMCV = "https://mmcv.readthedocs.io/en/latest/api"
FAIRSEQ = "https://github.com/facebookresearch/fairseq/blob/main/fairseq/models/__init__.py"

ALIKE = "computes the same in both modes"
BATCH_STATISTICS = "normalises by the batch in train mode, by its running statistics in eval mode"
DROPS = "drops in train mode unless its dropout is 0, the default"

ALIKE_CONVOLUTIONS = names("""
    AGNNConv ChebConv ClusterGCNConv EGConv FastRGCNConv FeaStConv GCN2Conv GCNConv GMMConv GatedGraphConv GeneralConv GraphConv
    GravNetConv HGTConv LEConv LGConv LightGCN MFConv MixHopConv PANConv PDNConv PNAConv PointConv ResGatedGraphConv RGCNConv
    SAGEConv SGConv SSGConv SignedConv SimpleConv SplineConv TAGConv WLConv
""")
CONVOLUTIONS_OVER_NETS = names(
    """
    AntiSymmetricConv DeepGCNLayer DirGNNConv DynamicEdgeConv EdgeConv FiLMConv GINConv GINEConv HeteroConv NNConv PPFConv
    PointGNNConv PointNetConv PointTransformerConv Sequential
    """
)

LAYERS = (
    *(
        Layer(f"torch_geometric.nn.{name}", "never", ALIKE, f"{GEOMETRIC}/nn/conv/__init__.py")
        for name in ALIKE_CONVOLUTIONS
    ),
    *(
        Layer(f"torch_geometric.nn.{name}", "never", ALIKE, f"{GEOMETRIC}/nn/norm/__init__.py")
        for name in names(
            "GraphNorm GraphSizeNorm JumpingKnowledge LayerNorm Linear MeanSubtractionNorm MessageNorm PairNorm TopKPooling"
        )
    ),
    *(
        Layer(
            f"torch_geometric.nn.{name}",
            "container",
            "depends on the mode if a net given to it does",
            f"{GEOMETRIC}/nn/conv/__init__.py",
        )
        for name in (*CONVOLUTIONS_OVER_NETS, "MessagePassing")
    ),
    *(
        Layer(
            f"torch_geometric.nn.{name}",
            "argument",
            DROPS,
            f"{GEOMETRIC}/nn/conv/{page}.py",
            (Rule(Parameter("dropout", position, 0.0)),),
        )
        for name, position, page in (
            ("GATConv", 5, "gat_conv"),
            ("GATv2Conv", 5, "gatv2_conv"),
            ("SuperGATConv", 5, "supergat_conv"),
            ("TransformerConv", 5, "transformer_conv"),
            ("APPNP", 2, "appnp"),
            ("ARMAConv", 6, "arma_conv"),
            ("DNAConv", 3, "dna_conv"),
            ("FAConv", 2, "fa_conv"),
            ("HANConv", 5, "han_conv"),
            ("HEATConv", 10, "heat_conv"),
            ("HypergraphConv", 7, "hypergraph_conv"),
            ("RGATConv", 12, "rgat_conv"),
        )
    ),
    Layer(
        "torch_geometric.nn.CGConv",
        "argument",
        "holds a batch norm if it is told to",
        f"{GEOMETRIC}/nn/conv/cg_conv.py",
        (Rule(Parameter("batch_norm", 3, False)),),
    ),
    *(
        Layer(
            f"torch_geometric.nn.{name}",
            "always",
            "holds batch norms unless told otherwise",
            f"{GEOMETRIC}/nn/conv/{page}.py",
        )
        for name, page in (("GENConv", "gen_conv"), ("GPSConv", "gps_conv"), ("XConv", "x_conv"))
    ),
    *(
        Layer(f"torch_geometric.nn.{name}", "always", BATCH_STATISTICS, f"{GEOMETRIC}/nn/norm/{page}.py")
        for name, page in (
            ("BatchNorm", "batch_norm"),
            ("HeteroBatchNorm", "batch_norm"),
            ("DiffGroupNorm", "diff_group_norm"),
        )
    ),
    Layer(
        "torch_geometric.nn.InstanceNorm",
        "argument",
        "depends on the mode only if it tracks running statistics, which is off by default",
        f"{GEOMETRIC}/nn/norm/instance_norm.py",
        (Rule(Parameter("track_running_stats", 4, False)),),
    ),
    Layer(
        "torch_geometric.nn.MLP", "always", "holds batch norms unless told otherwise", f"{GEOMETRIC}/nn/models/mlp.py"
    ),
    *(
        Layer(
            f"torch_geometric.nn.{name}",
            "argument",
            "drops between its layers in train mode unless its dropout is 0, the default",
            f"{GEOMETRIC}/nn/models/basic_gnn.py",
            (Rule(Parameter("dropout", 4, 0.0)),),
        )
        for name in ("GCN", "GraphSAGE", "GAT", "EdgeCNN", "PNA")
    ),
    *(
        Layer(f"dgl.nn.pytorch.{name}", "never", ALIKE, DGL)
        for name in names(
            "ChebConv EdgeWeightNorm GatedGraphConv GraphConv SGConv SumPooling AvgPooling MaxPooling TAGConv"
        )
    ),
    Layer("dgl.nn.pytorch.SAGEConv", "argument", DROPS, DGL, (Rule(Parameter("feat_drop", 3, 0.0)),)),
    *(
        Layer(f"einops.layers.torch.{name}", "never", ALIKE, "https://einops.rocks/api/rearrange")
        for name in names("EinMix Rearrange Reduce")
    ),
    Layer("torchcrf.CRF", "never", ALIKE, "https://pytorch-crf.readthedocs.io"),
    Layer("TorchCRF.CRF", "never", ALIKE, "https://github.com/rikeda71/TorchCRF"),
    *(
        Layer(f"pytorch_msssim.{name}", "never", ALIKE, "https://github.com/VainF/pytorch-msssim")
        for name in names("MS_SSIM SSIM")
    ),
    *(
        Layer(f"apex.normalization.{name}", "never", ALIKE, "https://nvidia.github.io/apex/layernorm.html")
        for name in names("FusedLayerNorm FusedRMSNorm")
    ),
    Layer("apex.parallel.SyncBatchNorm", "always", BATCH_STATISTICS, "https://nvidia.github.io/apex/parallel.html"),
    *(
        Layer(f"{package}.{name}", "always", BATCH_STATISTICS, link)
        for package, link, found in (
            ("inplace_abn", "https://github.com/mapillary/inplace_abn", "ABN InPlaceABN InPlaceABNSync"),
            (
                "sync_batchnorm",
                "https://github.com/vacancy/Synchronized-BatchNorm-PyTorch",
                "SynchronizedBatchNorm1d SynchronizedBatchNorm2d SynchronizedBatchNorm3d",
            ),
            ("encoding.nn", "https://hangzhang.org/PyTorch-Encoding", "BatchNorm1d BatchNorm2d SyncBatchNorm"),
        )
        for name in names(found)
    ),
    *(
        Layer(
            f"detectron2.layers.{name}",
            "never",
            ALIKE,
            "https://detectron2.readthedocs.io/en/latest/modules/layers.html",
        )
        for name in names("DeformConv FrozenBatchNorm2d ModulatedDeformConv ROIAlign")
    ),
    Layer(
        "detectron2.layers.NaiveSyncBatchNorm",
        "always",
        BATCH_STATISTICS,
        "https://detectron2.readthedocs.io/en/latest/modules/layers.html",
    ),
    Layer(
        "mmcv.cnn.ConvModule",
        "argument",
        "holds the norm layer that norm_cfg names, none by default",
        f"{MMCV}/cnn.html",
        (Rule(Parameter("norm_cfg", None, None)),),
    ),
    Layer(
        "mmcv.cnn.bricks.DropPath",
        "argument",
        "drops whole samples' branches at random in train mode",
        f"{MMCV}/cnn.html",
        (Rule(Parameter("drop_prob", 0, 0.1)),),
    ),
    Layer(
        "vector_quantize_pytorch.VectorQuantize",
        "always",
        "moves its codebook towards the batch in train mode",
        "https://github.com/lucidrains/vector-quantize-pytorch",
    ),
    Layer(
        "torchmetrics.**.[A-Z]*",
        "never",
        "accumulates values, and knows no mode",
        "https://lightning.ai/docs/torchmetrics/stable",
    ),
    Layer(
        "torchmetrics.[A-Z]*",
        "never",
        "accumulates values, and knows no mode",
        "https://lightning.ai/docs/torchmetrics/stable",
    ),
    Layer(
        "torchvision.transforms.**.[A-Z]*",
        "never",
        "the same in both modes",
        "https://docs.pytorch.org/vision/stable/transforms.html",
    ),
    Layer(
        "torchvision.transforms.[A-Z]*",
        "never",
        "the same in both modes",
        "https://docs.pytorch.org/vision/stable/transforms.html",
    ),
    Layer(
        "torchaudio.transforms.[A-Z]*",
        "never",
        "the same in both modes",
        "https://docs.pytorch.org/audio/stable/transforms.html",
    ),
)

EDGES = f"{GEOMETRIC}/utils/dropout.py"
FUNCTIONALS = tuple(
    Functional(
        f"torch_geometric.utils.{name}",
        Parameter("training", flag, True),
        "drops parts of the graph whenever its flag is true, the default",
        EDGES,
        (Rule(Parameter("p", probability, default)),),
    )
    for name, flag, probability, default in (
        ("dropout_adj", 5, 2, 0.5),
        ("dropout_edge", 3, 1, 0.5),
        ("dropout_node", 3, 1, 0.5),
        ("dropout_path", 6, 1, 0.2),
    )
)

MODULE_CLASSES = (
    *(
        ModuleClass(name, "a subclass of Module", link)
        for name, link in (
            ("torch.jit.ScriptModule", "https://docs.pytorch.org/docs/stable/generated/torch.jit.ScriptModule.html"),
            ("torch.fx.GraphModule", "https://docs.pytorch.org/docs/stable/fx.html"),
            ("torch_geometric.nn.**[A-Z]*", f"{GEOMETRIC}/nn/__init__.py"),
            ("dgl.nn.pytorch.**[A-Z]*", DGL),
            ("fairseq.models.**[A-Z]*Model", FAIRSEQ),
            ("fairseq.models.**[A-Z]*Encoder", FAIRSEQ),
            ("fairseq.models.**[A-Z]*Decoder", FAIRSEQ),
            ("flair.nn.**Model", "https://github.com/flairNLP/flair/blob/master/flair/nn/model.py"),
            ("speechbrain.nnet.**.[A-Z]*", "https://speechbrain.readthedocs.io/en/latest/API/speechbrain.nnet.html"),
            ("speechbrain.lobes.**.[A-Z]*", "https://speechbrain.readthedocs.io/en/latest/API/speechbrain.lobes.html"),
            ("monai.networks.**.[A-Z]*", "https://docs.monai.io/en/stable/networks.html"),
            (
                "allennlp.modules.**.[A-Z]*",
                "https://docs.allennlp.org/main/api/modules/seq2seq_encoders/seq2seq_encoder",
            ),
            ("mmcv.cnn.**.[A-Z]*", f"{MMCV}/cnn.html"),
            ("mmcv.ops.[A-Z]*", f"{MMCV}/ops.html"),
            ("detectron2.modeling.**[A-Z]*", "https://detectron2.readthedocs.io/en/latest/modules/modeling.html"),
            ("pyro.nn.PyroModule", "https://docs.pyro.ai/en/stable/nn.html"),
        )
    ),
    ModuleClass(
        "monai.losses.[A-Z]*",
        "a loss: it is the same in both modes, and its networks, if any, are in eval mode",
        "https://docs.monai.io/en/stable/losses.html",
        layers=(),
    ),
    ModuleClass(
        "gpytorch.Module",
        "the base of all of gpytorch",
        "https://github.com/cornellius-gp/gpytorch/blob/main/gpytorch/module.py",
    ),
    *(
        ModuleClass(
            f"{package}.**[A-Z]*",
            "a Gaussian process: train() and eval() choose the prior or the posterior, and a wrong one raises",
            link,
            layers=(),
        )
        for package, link in (
            ("gpytorch.models", "https://docs.gpytorch.ai/en/stable/models.html"),
            ("gpytorch.variational", "https://docs.gpytorch.ai/en/stable/variational.html"),
            ("gpytorch.likelihoods", "https://docs.gpytorch.ai/en/stable/likelihoods.html"),
            ("gpytorch.kernels", "https://docs.gpytorch.ai/en/stable/kernels.html"),
            ("gpytorch.means", "https://docs.gpytorch.ai/en/stable/means.html"),
            ("gpytorch.mlls", "https://docs.gpytorch.ai/en/stable/marginal_log_likelihoods.html"),
            ("botorch.models", "https://botorch.readthedocs.io/en/stable/models.html"),
        )
    ),
)

ORDINARY = (
    Ordinary(
        "torchvision.transforms.Compose",
        "calls its transforms, and is no module",
        "https://docs.pytorch.org/vision/stable/transforms.html",
    ),
    Ordinary(
        "torchvision.transforms.v2.functional.**", "functions", "https://docs.pytorch.org/vision/stable/transforms.html"
    ),
    *(
        Ordinary(
            f"detectron2.modeling.{name}",
            "computes with boxes and has no layers",
            f"https://github.com/facebookresearch/detectron2/blob/main/detectron2/modeling/{file}.py",
        )
        for name, file in (
            ("box_regression.Box2BoxTransform", "box_regression"),
            ("box_regression.Box2BoxTransformRotated", "box_regression"),
            ("box_regression.Box2BoxTransformLinear", "box_regression"),
            ("matcher.Matcher", "matcher"),
        )
    ),
    Ordinary(
        "detectron2.modeling.**REGISTRY",
        "a table of classes",
        "https://detectron2.readthedocs.io/en/latest/modules/modeling.html",
    ),
)

EXPORTED = "defined there, and exported under the shorter name"
ALIASES = (
    *(
        Alias(f"torch_geometric.nn.{module}", "torch_geometric.nn", EXPORTED, f"{GEOMETRIC}/nn/__init__.py", skip=1)
        for module in ("conv", "norm", "models", "dense", "pool")
    ),
    *(
        Alias(f"dgl.nn.{name}", f"dgl.nn.pytorch.{name}", "the same for the PyTorch backend", DGL)
        for name in names("ChebConv GATConv GATv2Conv GINConv GraphConv SAGEConv SGConv TAGConv")
    ),
    Alias(
        "gpytorch.module",
        "gpytorch",
        EXPORTED,
        "https://github.com/cornellius-gp/gpytorch/blob/main/gpytorch/__init__.py",
    ),
    Alias("mmcv.cnn.bricks.drop", "mmcv.cnn.bricks", EXPORTED, f"{MMCV}/cnn.html"),
)

TABLE = Table(
    layers=LAYERS,
    functionals=FUNCTIONALS,
    module_classes=MODULE_CLASSES,
    ordinary=ORDINARY,
    aliases=ALIASES,
)
