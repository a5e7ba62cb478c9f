"""Top-level modules by what their values are. From the public interfaces of the projects; not measured."""

from __future__ import annotations

from tensorlint.knowledge.row import names

#: Modules whose values are not torch tensors though they look alike: they have a ``.numpy()``, ``.to_numpy()`` or
#: ``__array__`` of their own, or copied names of torch's interface.
FOREIGN_FRAMEWORKS: frozenset[str] = names(
    "tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub tensorflow_probability tensorflow_text tflite_runtime keras "
    "tf_keras keras_core keras_cv keras_nlp sonnet tensorlayer tflearn tf_slim "
    "jax jaxlib flax haiku optax equinox chex orbax trax objax paddle paddlehub paddlenlp paddleocr paddleseg "
    "mxnet gluoncv gluonnlp tinygrad jittor mindspore megengine oneflow chainer cntk theano aesara pytensor nnabla mlx autograd "
    "cupy cupyx cudf cuml rmm dask xarray zarr h5py netCDF4 pandas polars pyarrow pyspark datasets modin vaex ibis duckdb "
    "onnxruntime openvino tvm tensorrt coremltools awkward sparse vtk pyvista"
)

#: Of those, the ones whose values have a ``.numpy()`` method: a bare ``.numpy()`` in a file that imports one is ambiguous.
FOREIGN_NUMPY_METHOD: frozenset[str] = names(
    "tensorflow tensorflow_datasets tensorflow_probability keras tf_keras paddle tinygrad jittor megengine oneflow mxnet "
    "mindspore"
)

#: Modules that only make sense with torch: values that come from them are torch tensors, modules or built of them.
TORCH_ECOSYSTEM: frozenset[str] = names(
    "torch torchvision torchaudio torchtext torchmetrics torchdata torchrl tensordict torch_geometric torch_scatter "
    "torch_sparse torch_cluster torchdiffeq torchsde torchinfo torchsummary torch_xla torch_npu intel_extension_for_pytorch "
    "pytorch_lightning lightning lightning_fabric ignite fastai timm kornia monai pyro gpytorch botorch linear_operator diffusers "
    "accelerate peft trl bitsandbytes deepspeed apex fairscale fairseq fvcore detectron2 mmcv mmdet mmseg mmengine pytorch3d "
    "segmentation_models_pytorch efficientnet_pytorch open_clip sentence_transformers captum higher functorch e3nn "
    "escnn nerfacc tinycudann gsplat xformers flash_attn vllm ultralytics speechbrain espnet2 asteroid stable_baselines3 "
    "cleanrl pytorch_metric_learning pytorch_msssim lpips piq torch_fidelity torchattacks advertorch"
)
