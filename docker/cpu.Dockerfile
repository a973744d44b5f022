# All stages on CPUs. Build from the checkout: docker build --file docker/cpu.Dockerfile --tag ultracurate:cpu .
FROM python:3.11.11-slim-bookworm

RUN apt-get update \
 && apt-get install --yes --no-install-recommends tesseract-ocr \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY pipeline pipeline
COPY manifests manifests
COPY ontology ontology
RUN python -m pip install --no-cache-dir '.[etl,s3]' && rm -rf /src/*

# A named volume mounted on /work takes over this owner.
RUN useradd --uid 10001 --create-home curator && mkdir /work /data && chown curator /work
USER curator
WORKDIR /work
# One thread in each worker process: libraries that start their own would fight over the cores.
ENV OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 OPENBLAS_NUM_THREADS=1
CMD ["ultracurate", "--help"]
