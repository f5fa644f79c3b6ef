# SR images, their scores, and the figures that are cut out of them.
rule predict:
    input:
        ancient(predicted_from),
    output:
        directory(paths.SR),
    log:
        "results/logs/predict/{run}/{test}.log",
    wildcard_constraints:
        run=PREDICTED,
    conda:
        "../../environment.yml"
    resources:
        gpu=1,
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} predict {wildcards.run:q} {wildcards.test:q} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


rule import_images:
    input:
        ancient(pictured),
    output:
        directory(paths.SR),
    log:
        "results/logs/import/{run}/{test}.log",
    wildcard_constraints:
        run=PICTURES,
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} import {wildcards.run:q} {wildcards.test:q} 2>&1 | tee -i {log:q}"


# On the CPU: a job that measures shall not wait for a GPU that trains.
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
        " --device cpu 2>&1 | tee -i {log:q}"


rule draw:
    input:
        ancient(drawn_from),
    output:
        directory(paths.PANELS),
    log:
        "results/logs/draw/{drawn}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} draw {wildcards.drawn:q} 2>&1 | tee -i {log:q}"
