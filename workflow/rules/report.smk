# Tables and pages. Their paths are plain, so a file named by the digest of all that made them says
# whether they are of today: a changed or a reverted parameter asks for another one. DVC wants the
# folder of panels even where a study draws none.
rule pages:
    input:
        ancient(SCORES + TESTED + DRAWN + [STUDY.counts]),
    output:
        [directory(page) if page.startswith("reports/") else page for page in PAGES],
    log:
        f"results/logs/report/{STUDY.name}.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        acutance=ACUTANCE,
        made=MADE,
    shell:
        "{{ mkdir -p results/panels && {params.acutance} calibrate --tested --device cpu"
        " && {params.acutance} tabulate"
        " && {params.acutance} report --made {params.made}; }} 2>&1 | tee -i {log:q}"
