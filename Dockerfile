# voicelip on a CPU, for one machine or as the node of a Ray cluster (docs/dubbing.md).
#
#   docker build -t voicelip .
#   docker run --rm -v voicelip-models:/models -v "$PWD":/work voicelip \
#     dub talk.mp4 --subs talk.es.srt --lang es --voice stock:ef_dora -o talk.es.mp4
#
# Voices, consent records and the signing key are kept in /models too: a volume that outlives the container.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN pip install --no-cache-dir build==1.3.0
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY pretrained pretrained
COPY voicelip voicelip
RUN python -m build --wheel --outdir /wheels

FROM python:3.11.14-slim-bookworm
# OpenCV's wheel needs these two of the system.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/*
COPY docker/constraints.txt /tmp/constraints.txt
# The usual index carries torch's CUDA build, several GB larger.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt --index-url "$TORCH_INDEX" torch
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt \
    "$(ls /tmp/wheels/voicelip-*.whl)[evaluate,ray]" \
 && rm -r /tmp/wheels /tmp/constraints.txt
RUN useradd --create-home --uid 1000 voicelip \
 && install --directory --owner voicelip --mode 0700 /models \
 && install --directory --owner voicelip /work
USER voicelip
ENV VOICELIP_HOME=/models \
    ORT_DISABLE_TELEMETRY=1 \
    RAY_USAGE_STATS_ENABLED=0
VOLUME ["/models", "/work"]
WORKDIR /work
ENTRYPOINT ["voicelip"]
CMD ["--help"]
