# The HTTP service and the demo, with the default pipeline and PyTorch for the CPU:
#   docker build --tag spacy-elmo-ner .
#   docker run --rm --publish 127.0.0.1:8000:8000 spacy-elmo-ner
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /src
COPY . .
RUN /opt/venv/bin/pip install --constraint constraints.txt \
        --extra-index-url https://download.pytorch.org/whl/cpu \
        ".[demo,serve]" ./assets/en_elmo_ner_sm

FROM python:3.12-slim
COPY --from=build /opt/venv /opt/venv
# a user that owns nothing; Streamlit and torch keep what they write in a home
USER 10001:10001
WORKDIR /tmp
ENV HOME=/tmp \
    PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "spacy_elmo_ner"]
CMD ["serve", "--host", "0.0.0.0"]
