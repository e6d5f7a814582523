# qa in a container: `docker build --tag qa .`; docs/deployment.md has the rest. It has all models in it and needs no network to run.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS built
# PyTorch's builds for processors alone: those that pip takes otherwise bring several GB for GPUs.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/qa/bin:$PATH
RUN python -m venv /opt/qa
# What changes seldom comes first, in the order and by the lock of `make app`.
RUN pip install --index-url "${TORCH_INDEX}" torch==2.13.0
WORKDIR /source
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY qa qa
RUN pip install --no-deps .
# The models are exported for the runtime now, by answering a question once; what runs later may write nothing but /data and /tmp.
RUN printf 'The Suez Canal\n\nThe Suez Canal was opened in November 1869. It took ten years to dig.\n' > /tmp/canal.txt \
    && export QA_CACHE=/opt/qa/cache QA_INDEX__PATH=/tmp/index \
    && qa index /tmp/canal.txt && qa ask 'When was the Suez Canal opened?' \
    && ls /opt/qa/cache/encoder-*/model.xml /opt/qa/cache/reader-*/model.xml

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --no-create-home --home-dir /tmp qa && install --directory --owner qa --group qa --mode 0700 /data
COPY --from=built /opt/qa /opt/qa
ENV PATH=/opt/qa/bin:$PATH HOME=/tmp HF_HUB_OFFLINE=1 QA_CACHE=/opt/qa/cache \
    QA_INDEX__PATH=/data/index QA_SERVER__USERS=/data/users.json QA_UI__HOST=0.0.0.0
USER qa
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["qa"]
CMD ["serve"]
