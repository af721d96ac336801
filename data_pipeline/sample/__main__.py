"""Make the sample company: the data of MangaAssist, an online manga shop.

    python -m data_pipeline.sample configs/quickstart/sample.yaml

Writes tickets (a Zendesk-style export), the knowledge base, labelled messages for the classifiers, messages
for the guard, preference pairs and synthetic conversations. `truth/` holds what was planted in each file
(situation, article, personal data, duplicates, wrong answers and labels), which no stage reads.
"""

from common import artifacts, console
from common.command import Options, run
from data_pipeline.sample.config import SampleConfig
from data_pipeline.sample.content import load_content
from data_pipeline.sample.files import write_files
from data_pipeline.sample.frozen import describe


def make_sample(config: SampleConfig, options: Options) -> None:
    """Write the artifact of `config`, unless it is there already."""
    recipe = artifacts.Recipe.of("sample", config, inputs={}, code=("data_pipeline/sample",))
    content = load_content()
    console.choice("tickets", config.tickets, f"and {config.unseen_tickets} of situations kept out of them")
    if options.dry_run:
        console.say(f"would write {config.output}")
        return
    if not options.force and artifacts.is_up_to_date(config.output, recipe):
        console.say(f"{config.output} is up to date")
    else:
        with artifacts.writing(config.output, recipe) as folder:
            recipe.counts.update(write_files(folder, content, config))
        console.run_log("SAMPLE", output=config.output, **recipe.counts)
    console.choice("benchmark", *describe(artifacts.read_manifest(config.output).content_hash))


if __name__ == "__main__":
    run(make_sample, SampleConfig, __doc__)
