# Original images, LR images, packed training pairs.
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
