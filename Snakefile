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


localrules:
    all,
    data,
    train,
    score,
    report,


rule all:
    default_target: True
    input:
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
