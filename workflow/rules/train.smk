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
    conda:
        "../../environment.yml"
    resources:
        gpu=1,
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} train {wildcards.run:q} --threads {threads} 2>&1 | tee -i {log:q}"
