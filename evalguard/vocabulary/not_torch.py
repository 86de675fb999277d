"""Libraries whose classes and models are none of PyTorch: their `train`, `eval`, `predict` and `fit` switch no module.

A name covers all that begins with it.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import Ordinary, Table

TORCH_LIBRARIES = frozenset(
    """
    accelerate apex catalyst clip deepspeed detectron2 dgl diffusers fairseq fastai gpytorch ignite kornia lightning mmcv mmdet mmengine
    mmseg monai open_clip peft pytorch3d pytorch_lightning segmentation_models_pytorch sentence_transformers skorch speechbrain timm torch
    torch_geometric torch_xla torchaudio torchtext torchvision transformers trl ultralytics
    """.split()
)
"""Libraries whose import says that the files around it are about PyTorch."""

OTHER_FRAMEWORKS = frozenset(
    "tensorflow tf_keras keras keras_hub sonnet tflearn tensorlayer flax haiku jax equinox trax mlx chainer paddle mindspore mxnet".split()
)
"""Those of them with layers of their own: a file that imports one of these, and not PyTorch, builds its networks with it."""

NOT_TORCH = tuple(
    Ordinary(name, why, link)
    for name, why, link in (
        ("tensorflow", "TensorFlow: the mode is an argument of the call", "https://www.tensorflow.org/api_docs/python/tf/keras/Model"),
        ("tf_keras", "Keras: the mode is an argument of the call", "https://www.tensorflow.org/api_docs/python/tf/keras/Model"),
        ("keras", "Keras: the mode is an argument of the call", "https://keras.io/api/models/model"),
        ("keras_hub", "Keras: the mode is an argument of the call", "https://keras.io/keras_hub"),
        ("sonnet", "TensorFlow: the mode is an argument of the call", "https://sonnet.readthedocs.io"),
        ("tflearn", "TensorFlow: the mode is an argument of the call", "http://tflearn.org"),
        ("tensorlayer", "TensorFlow: its own is_train flag", "https://tensorlayer.readthedocs.io"),
        ("flax", "JAX: the mode is an argument of the call", "https://flax.readthedocs.io"),
        ("haiku", "JAX: the mode is an argument of the call", "https://dm-haiku.readthedocs.io"),
        ("jax", "JAX: functions without a mode", "https://docs.jax.dev"),
        ("equinox", "JAX: its inference flag is a field of the layer", "https://docs.kidger.site/equinox"),
        ("objax", "JAX: the mode is an argument of the call", "https://objax.readthedocs.io"),
        ("trax", "JAX: the mode is an argument of the layer", "https://trax-ml.readthedocs.io"),
        ("mlx", "MLX: modules of its own, with train() and eval()", "https://ml-explore.github.io/mlx"),
        ("chainer", "Chainer: the mode is a global configuration", "https://docs.chainer.org"),
        ("paddle", "PaddlePaddle: layers of its own, with train() and eval()", "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/Layer_en.html"),
        ("paddlenlp", "PaddlePaddle", "https://paddlenlp.readthedocs.io"),
        ("mindspore", "MindSpore: cells of its own, with set_train()", "https://www.mindspore.cn/docs/en/master"),
        ("mxnet", "MXNet: the mode belongs to autograd.record", "https://mxnet.apache.org"),
        ("gluoncv", "MXNet", "https://cv.gluon.ai"),
        ("gluonnlp", "MXNet", "https://nlp.gluon.ai"),
        ("caffe", "Caffe: the phase is part of the network's description", "https://caffe.berkeleyvision.org"),
        ("caffe2", "Caffe2: nets without a mode", "https://caffe2.ai"),
        ("theano", "Theano: functions without a mode", "https://theano-pymc.readthedocs.io"),
        ("lasagne", "Theano: `deterministic` is an argument", "https://lasagne.readthedocs.io"),
        ("cntk", "CNTK: functions without a mode", "https://learn.microsoft.com/en-us/cognitive-toolkit"),
        ("jittor", "Jittor: modules of its own, with train() and eval()", "https://cg.cs.tsinghua.edu.cn/jittor"),
        ("oneflow", "OneFlow: modules of its own", "https://docs.oneflow.org"),
        ("tinygrad", "tinygrad: Tensor.training is global", "https://docs.tinygrad.org"),
        ("megengine", "MegEngine: modules of its own", "https://www.megengine.org.cn"),
        ("sklearn", "estimators without a mode", "https://scikit-learn.org"),
        ("xgboost", "boosters: `train` fits, `eval` scores", "https://xgboost.readthedocs.io/en/stable/python/python_api.html"),
        ("lightgbm", "boosters: `train` fits, `eval` scores", "https://lightgbm.readthedocs.io/en/latest/Python-API.html"),
        ("catboost", "boosters without a mode", "https://catboost.ai"),
        ("pandas", "`DataFrame.eval` computes an expression", "https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.eval.html"),
        ("gensim", "`train` fits word vectors", "https://radimrehurek.com/gensim"),
        ("fasttext", "`train_supervised` fits word vectors", "https://fasttext.cc"),
        ("spacy", "pipelines of its own", "https://spacy.io/api"),
        ("thinc", "models of its own", "https://thinc.ai"),
        ("tokenizers", "`train` builds a vocabulary", "https://huggingface.co/docs/tokenizers"),
        ("sentencepiece", "`Train` builds a vocabulary", "https://github.com/google/sentencepiece"),
        ("nltk", "`train` fits taggers and classifiers", "https://www.nltk.org"),
        ("faiss", "`train` fits an index", "https://github.com/facebookresearch/faiss/wiki"),
        ("cv2", "`train` fits classical models", "https://docs.opencv.org"),
        ("optuna", "studies and trials", "https://optuna.readthedocs.io"),
        ("ray.tune", "trials", "https://docs.ray.io/en/latest/tune"),
        ("ray.rllib", "`Algorithm.train` runs an iteration of its own", "https://docs.ray.io/en/latest/rllib"),
        ("stable_baselines3", "`learn` and `predict` switch the policy themselves", "https://stable-baselines3.readthedocs.io"),
        ("redis", "`eval` runs a script", "https://redis.readthedocs.io"),
        ("numexpr", "`evaluate` computes an expression", "https://numexpr.readthedocs.io"),
        ("onnxruntime", "sessions without a mode", "https://onnxruntime.ai/docs/api/python"),
        ("openvino", "compiled models without a mode", "https://docs.openvino.ai/2025/api/ie_python_api/api.html"),
        ("tensorrt", "engines without a mode", "https://docs.nvidia.com/deeplearning/tensorrt"),
        ("gym", "environments", "https://www.gymlibrary.dev"),
        ("gymnasium", "environments", "https://gymnasium.farama.org"),
        ("numpy", "arrays", "https://numpy.org/doc/stable"),
        ("scipy", "arrays, distributions and fits", "https://docs.scipy.org/doc/scipy"),
        ("statsmodels", "models that are fitted", "https://www.statsmodels.org"),
        ("networkx", "graphs", "https://networkx.org/documentation/stable"),
        ("h5py", "files of arrays", "https://docs.h5py.org"),
        ("lmdb", "a database", "https://lmdb.readthedocs.io"),
        ("pycocotools", "annotations and scores", "https://github.com/cocodataset/cocoapi/tree/master/PythonAPI/pycocotools"),
        ("PIL", "images", "https://pillow.readthedocs.io"),
        ("skimage", "images", "https://scikit-image.org/docs/stable"),
        ("imageio", "images", "https://imageio.readthedocs.io"),
        ("albumentations", "changes images at random, in any mode", "https://albumentations.ai/docs"),
        ("imgaug", "changes images at random, in any mode", "https://imgaug.readthedocs.io"),
        ("librosa", "sounds", "https://librosa.org/doc/latest"),
        ("soundfile", "sounds", "https://python-soundfile.readthedocs.io"),
        ("open3d", "points, meshes and windows", "https://www.open3d.org/docs/latest"),
        ("trimesh", "meshes", "https://trimesh.org"),
        ("matplotlib", "pictures", "https://matplotlib.org/stable/api"),
        ("seaborn", "pictures", "https://seaborn.pydata.org/api.html"),
        ("plotly", "pictures", "https://plotly.com/python-api-reference"),
        ("visdom", "windows with pictures", "https://github.com/fossasia/visdom"),
        ("tqdm", "progress", "https://tqdm.github.io"),
        ("omegaconf", "settings", "https://omegaconf.readthedocs.io"),
        ("yaml", "settings", "https://pyyaml.org/wiki/PyYAMLDocumentation"),
    )
)  # fmt: skip

TABLE = Table(not_torch=NOT_TORCH)
