# Weights. State of a training that was stopped lies in results/state, which no rule declares.
# `update`: a job that is started once more leaves what is there, which took days.
rule fit:
    input:
        ancient(packed_of_run),
    output:
        update(paths.WEIGHTS),
        update(paths.LOG),
        update(paths.RUN_RECORD),
    log:
        "results/logs/train/{run}.log",
    wildcard_constraints:
        run=LARGE,
    conda:
        "../../environment.yml"
    resources:
        gpu=1,
    params:
        acutance=ACUTANCE,
        processes=lambda wildcards, resources: max(1, resources.gpu),
    shell:
        "{params.acutance} train {wildcards.run:q} --threads {threads}"
        " --processes {params.processes:q} 2>&1 | tee -i {log:q}"


use rule fit as fit_small with:
    wildcard_constraints:
        run=SMALL,


rule import_weights:
    output:
        paths.WEIGHTS,
        paths.RUN_RECORD,
    log:
        "results/logs/import/{run}.log",
    wildcard_constraints:
        run=RELEASED,
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} import {wildcards.run:q} 2>&1 | tee -i {log:q}"
