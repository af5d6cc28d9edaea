# leadwise serve in a container: no torch, not root. See docs/serve.md.
#   docker build -t leadwise .
#   docker run --rm --init -p 127.0.0.1:8000:8000 --read-only --tmpfs /tmp leadwise
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY requirements ./requirements
COPY leadwise ./leadwise
RUN python -m venv /opt/leadwise && \
    /opt/leadwise/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[serve]' && \
    /opt/leadwise/bin/pip uninstall --yes pip setuptools && \
    /opt/leadwise/bin/python -m compileall -q /opt/leadwise/lib

FROM python:3.11-slim
COPY --from=build /opt/leadwise /opt/leadwise
RUN useradd --system --create-home --uid 10001 leadwise
USER leadwise
WORKDIR /home/leadwise
ENV PATH=/opt/leadwise/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
# the start loads the models of each process
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["leadwise", "serve", "--host", "0.0.0.0"]
