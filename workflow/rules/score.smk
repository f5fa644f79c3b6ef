# SR images and their scores.
rule predict:
    input:
        ancient(predicted_from),
    output:
        directory(paths.SR),
    log:
        "results/logs/predict/{run}/{test}.log",
    conda:
        "../../environment.yml"
    resources:
        gpu=1,
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} predict {wildcards.run:q} {wildcards.test:q} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


rule measure:
    input:
        ancient(scored_from),
    output:
        paths.SCORES,
    log:
        "results/logs/score/{run}/{test}.log",
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} score {wildcards.run:q} {wildcards.test:q} --workers {threads}"
        " 2>&1 | tee -i {log:q}"
