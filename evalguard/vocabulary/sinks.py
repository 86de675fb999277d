"""Where evaluations put the outputs of a module. Evidence of an evaluation, never a proof: training loops print an accuracy
too.

A bare name is a method of any object; a short one (`argmax`) is also found at the end of a dotted name.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import Sink, Table, names

TORCH = "https://docs.pytorch.org/docs/stable/generated/torch"
NO_GRADIENT = "its result carries no gradient to the module"
LEAVES_TORCH = "takes the values out of PyTorch, and so out of every gradient"

SINKS = (
    *(Sink(f"torch.{name}", "weak", NO_GRADIENT, f"{TORCH}.{name}.html") for name in names("argmax argmin argsort bincount topk")),
    *(Sink(name, "weak", NO_GRADIENT, f"{TORCH}.{name}.html") for name in names("argmax argmin argsort topk")),
    *(
        Sink(name, "weak", LEAVES_TORCH, f"{TORCH}.Tensor.{page}.html")
        for name, page in (("numpy", "numpy"), ("tolist", "tolist"), ("item", "item"), ("__array__", "numpy"))
    ),
    *(
        Sink(name, "strong", "turns tokens into text", "https://huggingface.co/docs/transformers/main/en/main_classes/tokenizer")
        for name in names("batch_decode")
    ),
    Sink("sklearn.metrics.*", "strong", "compares predictions with the truth", "https://scikit-learn.org/stable/api/sklearn.metrics.html"),
    Sink("scipy.stats.*", "weak", "compares predictions with the truth", "https://docs.scipy.org/doc/scipy/reference/stats.html"),
    Sink("torchmetrics.**", "weak", "compares predictions with the truth", "https://lightning.ai/docs/torchmetrics/stable"),
    Sink("torchmetrics.functional.**", "weak", "compares predictions with the truth", "https://lightning.ai/docs/torchmetrics/stable"),
    Sink("evaluate.load", "strong", "loads a metric", "https://huggingface.co/docs/evaluate"),
    Sink("datasets.load_metric", "strong", "loads a metric", "https://huggingface.co/docs/evaluate"),
    Sink("seqeval.metrics.*", "strong", "compares predictions with the truth", "https://github.com/chakki-works/seqeval"),
    Sink("sacrebleu.*", "strong", "compares predictions with the truth", "https://github.com/mjpost/sacrebleu"),
    Sink("nltk.translate.bleu_score.*", "strong", "compares predictions with the truth", "https://www.nltk.org/api/nltk.translate.bleu_score.html"),
    Sink("skimage.metrics.*", "strong", "compares pictures", "https://scikit-image.org/docs/stable/api/skimage.metrics.html"),
    Sink("torchvision.utils.save_image", "weak", "writes pictures", "https://docs.pytorch.org/vision/stable/utils.html"),
    Sink("torchvision.utils.make_grid", "weak", "shows pictures", "https://docs.pytorch.org/vision/stable/utils.html"),
    *(
        Sink(f"matplotlib.pyplot.{name}", "weak", "shows results", "https://matplotlib.org/stable/api/pyplot_summary.html")
        for name in names("imsave imshow plot scatter")
    ),
    *(
        Sink(name, "weak", "names of functions that compare predictions with the truth", "https://github.com/pytorch/examples/blob/main/imagenet/main.py")
        for name in names("""
            accuracy calculate_accuracy compute_accuracy accuracy_score auc compute_metrics confusion_matrix dice_score
            f1_score get_accuracy iou mean_iou psnr roc_auc_score ssim
        """)
    ),
)  # fmt: skip

TABLE = Table(sinks=SINKS)
