# Weights. State of a training that was stopped lies in results/state, which no rule declares.
rule fit:
    input:
        ancient(packed_of_run),
    output:
        paths.WEIGHTS,
        paths.LOG,
        paths.RUN_RECORD,
    log:
        "results/logs/train/{run}.log",
    wildcard_constraints:
        run=OURS,
    conda:
        "../../environment.yml"
    resources:
        gpu=1,
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} train {wildcards.run:q} --threads {threads} 2>&1 | tee -i {log:q}"


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
