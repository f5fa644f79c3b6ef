# Original images, what losses and metrics read, LR images, packed training pairs.
rule fetch:
    output:
        directory(paths.HR),
    log:
        "results/logs/fetch/{dataset}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} fetch {wildcards.dataset:q} 2>&1 | tee -i {log:q}"


rule fetch_asset:
    output:
        paths.ASSET,
    log:
        "results/logs/fetch/{file}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
        asset=lambda wildcards: ASSETS[wildcards.file],
    shell:
        "{params.acutance} fetch {params.asset:q} 2>&1 | tee -i {log:q}"


rule degrade:
    input:
        ancient(hr_of_pairs),
    output:
        directory(paths.LR),
    log:
        "results/logs/degrade/{pairs}.log",
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} degrade {wildcards.pairs:q} --workers {threads} 2>&1 | tee -i {log:q}"


rule pack:
    input:
        ancient(hr_of_pairs),
    output:
        directory(paths.PACKED),
    log:
        "results/logs/pack/{pairs}.log",
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} pack {wildcards.pairs:q} --workers {threads} 2>&1 | tee -i {log:q}"
