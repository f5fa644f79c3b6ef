# Sizes of networks. No job asks for weights or data: shapes are all that is counted.
rule count:
    output:
        paths.COUNTS,
    log:
        "results/logs/count/{counted}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
    shell:
        "{params.acutance} count 2>&1 | tee -i {log:q}"
