# With torch, for reading shards on a GPU; the stages themselves use CPUs only.
# Build from the checkout: docker build --file docker/gpu.Dockerfile --tag ultracurate:gpu .
FROM nvidia/cuda:12.6.3-runtime-ubuntu24.04

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    python3.12 python3.12-venv tesseract-ocr \
 && rm -rf /var/lib/apt/lists/* \
 && python3.12 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY pipeline pipeline
COPY manifests manifests
COPY ontology ontology
RUN python -m pip install --no-cache-dir '.[all]' && rm -rf /src/*

# A named volume mounted on /work takes over this owner.
RUN useradd --uid 10001 --create-home curator && mkdir /work /data && chown curator /work
USER curator
WORKDIR /work
# One thread in each worker process: libraries that start their own would fight over the cores.
ENV OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 OPENBLAS_NUM_THREADS=1
CMD ["ultracurate", "--help"]
