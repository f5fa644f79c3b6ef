# The whole rebuild. `snakemake --profile workflow/profiles/workstation` makes the study that
# params.yaml names; `--config study=demo` another one of workflow/studies.
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/count.smk"
include: "workflow/rules/report.smk"


onstart:
    begin()


onerror:
    end()


localrules:
    all,
    data,
    train,
    score,
    report,


# All that was computed, not the pages alone: what was removed comes again. Images may go when all
# is done: `snakemake data` brings them again.
rule all:
    default_target: True
    input:
        WEIGHTS,
        SCORES,
        DRAWN,
        PAGES,


rule data:
    input:
        DATA,


rule train:
    input:
        WEIGHTS,


rule score:
    input:
        SCORES,
        DRAWN,


rule report:
    input:
        PAGES,
