"""Mistakes in params.yaml: how each is made, and words that its refusal must hold."""

from collections.abc import Callable
from typing import Any

Change = Callable[[dict[str, Any]], object]

MISTAKES: dict[str, tuple[Change, list[str]]] = {
    "unknown section": (
        lambda p: p.update(recipies={}),
        ["params.yaml: recipies", "did you mean 'recipes'?"],
    ),
    "unknown study": (
        lambda p: p.update(study="demmo"),
        ["params.yaml: study", "'demmo'", "'demo'"],
    ),
    "unknown base": (
        lambda p: p["systems"]["vdsr+gv"].update(base="vsdr"),
        ["systems.vdsr+gv.base", "no entry 'vsdr'", "did you mean 'vdsr'?"],
    ),
    "cycle": (
        lambda p: p["systems"]["vdsr"].update(base="vdsr+gv"),
        ["a cycle", "vdsr+gv -> vdsr"],
    ),
    "unknown recipe": (
        lambda p: p["systems"]["edsr"].update(recipe="edsr_papr"),
        ["systems.edsr.recipe", "'edsr_papr'", "did you mean 'edsr'?"],
    ),
    "unknown model": (
        lambda p: p["systems"]["edsr"]["model"].update(function="edrs"),
        ["systems.edsr.model.function", "no model 'edrs'", "did you mean 'edsr'?"],
    ),
    "unknown argument": (
        lambda p: p["systems"]["edsr"]["model"].update(widht=64),
        ["systems.edsr.model.widht", "did you mean 'width'?"],
    ),
    "wrong type": (
        lambda p: p["systems"]["edsr"]["model"].update(blocks="many"),
        ["systems.edsr.model.blocks", "wants a whole number", "'many'"],
    ),
    "truth value for a number": (
        lambda p: p["recipes"]["edsr"].update(steps=True),
        ["recipes.edsr.steps", "wants a whole number", "True"],
    ),
    "missing field": (
        lambda p: p["recipes"]["edsr"].pop("patch"),
        ["recipes.edsr", "needs 'patch'"],
    ),
    "unknown field": (
        lambda p: p["recipes"]["edsr"].update(lr=1e-4),
        ["recipes.edsr.lr", "a recipe has no 'lr'"],
    ),
    "unknown loss": (
        lambda p: p["systems"]["espcn"].update(losses={"gradient_varience": 1}),
        ["systems.espcn.losses.gradient_varience", "did you mean 'gradient_variance'?"],
    ),
    "negative weight": (
        lambda p: p["systems"]["espcn"].update(losses={"l2": -1}),
        ["systems.espcn.losses.l2.weight", "not below 0", "-1"],
    ),
    "nothing to minimise": (
        lambda p: p["systems"]["espcn"].update(losses={"l2": 0}),
        ["systems.espcn.losses", "nothing to minimise"],
    ),
    "a scale the model cannot do": (
        lambda p: p["systems"]["espcn"].update(scales=[2, 3, 7]),
        ["systems.espcn.model", "asked for 7"],
    ),
    "a scale that has no value": (
        lambda p: p["recipes"]["vdsr"]["patch"].pop("x3"),
        ["recipes.vdsr.patch", "no value for scale 3"],
    ),
    "duplicate scale": (
        lambda p: p["systems"]["espcn"].update(scales=[2, 2]),
        ["systems.espcn.scales", "'2' stands in it twice"],
    ),
    "unknown data set": (
        lambda p: p["tracks"]["gv-stated"]["test"].update(datasets=["set55"]),
        ["tracks.gv-stated.test.datasets", "'set55'", "did you mean 'set5'?"],
    ),
    "trained and tested on one set": (
        lambda p: p["tracks"]["gv-stated"]["train"].update(datasets=["set5"]),
        ["tracks.gv-stated", "'set5' is trained on and tested on"],
    ),
    "unknown degradation": (
        lambda p: p["tracks"]["gv-stated"]["test"].update(degradation="bicubik"),
        ["tracks.gv-stated.test.degradation", "did you mean 'bicubic'?"],
    ),
    "unknown metric": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].update(psnr="psnr_flaot"),
        ["tracks.gv-stated.metrics.psnr", "did you mean 'psnr_float'?"],
    ),
    "metric of no column": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].update(lpips="psnr_float"),
        ["tracks.gv-stated.metrics.lpips", "print no such metric"],
    ),
    "column without a metric": (
        lambda p: p["tracks"]["gv-stated"]["metrics"].pop("ssim"),
        ["tracks.gv-stated.metrics", "'ssim'"],
    ),
    "unquantised metric on 8-bit files": (
        lambda p: p["tracks"]["gv-released"]["test"].update(output="png"),
        ["tracks.gv-released.metrics.psnr", "unquantised", "output: float"],
    ),
    "unknown paper": (
        lambda p: p["tracks"]["gv-stated"].update(paper="vg"),
        ["tracks.gv-stated.paper", "no paper 'vg'"],
    ),
    "unknown table": (
        lambda p: p["tracks"]["gv-stated"].update(tables=["table9"]),
        ["tracks.gv-stated.tables", "no table 'table9'"],
    ),
    "unknown system in a delta": (
        lambda p: p["tracks"]["gv-released"]["deltas"].update(edrs={}),
        ["tracks.gv-released.deltas", "did you mean 'edsr'?"],
    ),
    "both ways to clip": (
        lambda p: p["recipes"]["vdsr"].update(clip_norm=0.4),
        ["recipes.vdsr", "clip_norm and clip_adjustable exclude each other"],
    ),
    "milestone beyond the end": (
        lambda p: p["recipes"]["edsr"].update(milestones=[400000]),
        ["recipes.edsr.milestones", "400000", "300000 steps"],
    ),
    "patch larger than the crop": (
        lambda p: p["recipes"]["gv-released"].update(patch=65),
        ["HR patch 130 is larger than the centre crop 128"],
    ),
    "best of nothing": (
        lambda p: p["tracks"]["gv-released"].pop("validate"),
        ["tracks.gv-released", "nothing is validated"],
    ),
    "no number": (
        lambda p: p["recipes"]["edsr"].update(learning_rate=float("nan")),
        ["recipes.edsr.learning_rate", "nan"],
    ),
    "count that the manifest denies": (
        lambda p: p["datasets"]["set5"].update(images=6),
        ["datasets.set5.images", "its manifest lists 5"],
    ),
    "name that is no path": (
        lambda p: p["systems"].update({"../x": {"base": "vdsr"}}),
        ["systems", "'../x' cannot be a name"],
    ),
    "a list for a mapping": (
        lambda p: p.update(systems=["vdsr"]),
        ["systems", "wants named entries"],
    ),
    "a word for a list": (
        lambda p: p["tracks"]["gv-stated"].update(also="psnr_gv"),
        ["tracks.gv-stated.also", "wants a list", "'psnr_gv'"],
    ),
    "true for a number of a choice": (
        lambda p: p["systems"]["vdsr"]["model"].update(channels=True),
        ["systems.vdsr.model.channels", "True"],
    ),
    "more residuals than channels": (
        lambda p: p["systems"]["vdsr"]["model"].update(channels=1, residual_channels=3),
        ["systems.vdsr.model.residual_channels"],
    ),
    "an argument without an end": (
        lambda p: p["systems"]["edsr"]["model"].update(residual_scale=float("inf")),
        ["systems.edsr.model.residual_scale", "finite", "inf"],
    ),
    "betas that diverge": (
        lambda p: p["recipes"]["espcn"].update(betas=[2.0, 0.9]),
        ["recipes.espcn.betas", "2.0"],
    ),
    "momentum that diverges": (
        lambda p: p["recipes"]["vdsr"].update(momentum=1),
        ["recipes.vdsr.momentum", "1"],
    ),
    "a learning rate in the wrong unit": (
        lambda p: p["recipes"]["edsr"].update(learning_rate=100),
        ["recipes.edsr.learning_rate", "100"],
    ),
    "milestones back and forth": (
        lambda p: p["recipes"]["espcn"].update(milestones=[225000, 150000]),
        ["recipes.espcn.milestones", "later"],
    ),
    "a flip twice": (
        lambda p: p["recipes"]["espcn"].update(augment=["flip_h", "flip_h"]),
        ["recipes.espcn.augment", "'flip_h' stands in it twice"],
    ),
    "a seed below zero": (
        lambda p: p["tracks"]["gv-stated"].update(seeds=[-1]),
        ["tracks.gv-stated.seeds", "-1"],
    ),
    "a shave that leaves nothing": (
        lambda p: p["metrics"]["psnr_gv"].update(shave="scale+100"),
        ["metrics.psnr_gv.shave", "102"],
    ),
    "compare with a word": (
        lambda p: p["tracks"]["gv-stated"].update(compare="yes"),
        ["tracks.gv-stated.compare", "'yes'"],
    ),
    "validated on nothing": (
        lambda p: p["tracks"]["gv-stated"].update(validate={}),
        ["tracks.gv-stated.validate.datasets"],
    ),
    "validated on what is trained on": (
        lambda p: p["tracks"]["gv-stated"]["validate"].update(datasets=["div2k-train"]),
        ["tracks.gv-stated", "'div2k-train' is trained on and validated on"],
    ),
    "trained on a test set": (
        lambda p: p["tracks"]["gv-stated"]["train"].update(datasets=["general100"]),
        ["tracks.gv-stated.train.datasets", "'general100' has the role 'test'"],
    ),
    "a track that moves a base": (
        lambda p: p["tracks"]["gv-released"]["deltas"]["vdsr"].update(base="espcn"),
        ["tracks.gv-released.deltas.vdsr.base", "may not change"],
    ),
    "a recipe that nothing uses": (
        lambda p: p["recipes"].update(idle={"base": "edsr", "steps": 0}),
        ["recipes.idle.steps", "0"],
    ),
    "a track that is not built": (
        lambda p: p["tracks"].update(idle={"papre": "gv"}),
        ["tracks.idle.papre", "did you mean 'paper'?"],
    ),
    "no checksum": (
        lambda p: p["datasets"]["set5"]["sources"][3].update(md5="4ace"),
        ["datasets.set5.sources[3].md5", "32 digits"],
    ),
    "no address": (
        lambda p: p["datasets"]["set5"]["sources"][3].update(url="cv.snu.ac.kr/benchmark.tar"),
        ["datasets.set5.sources[3].url", "http://"],
    ),
    "metrics in each other's columns": (
        lambda p: p["tracks"]["gv-stated"].update(
            metrics={"psnr": "ssim_float", "ssim": "psnr_float"}
        ),
        ["tracks.gv-stated.metrics.psnr", "'ssim_float' measures in 1", "dB"],
    ),
    "a line break in a name": (
        lambda p: p["systems"].update({"a\nb": {"base": "vdsr"}}),
        ["systems", r"'a\nb' cannot be a name"],
    ),
    "a network without layers": (
        lambda p: p["systems"]["edsr"]["model"].update(blocks=0),
        ["systems.edsr.model.blocks", "must not be below 1", "0"],
    ),
    "variances over more than the crop": (
        lambda p: p["systems"]["espcn+gv"]["losses"]["gradient_variance"].update(patch=35),
        ["systems.espcn+gv.losses.gradient_variance.patch", "35", "HR patch 34"],
    ),
    "a size of no image": (
        lambda p: p["counts"]["macs-50"].pop("lr"),
        ["counts.macs-50", "wants one of output and lr"],
    ),
    "a size of two images": (
        lambda p: p["counts"]["macs-50"].update(output=[640, 480]),
        ["counts.macs-50", "wants one of output and lr"],
    ),
    "an image without pixels": (
        lambda p: p["counts"]["macs-50"].update(lr=[50, 0]),
        ["counts.macs-50.lr", "1 to 100,000 pixels", "0"],
    ),
    "parameters of an image": (
        lambda p: p["counts"]["parameters"].update(lr=[50, 50]),
        ["counts.parameters.lr", "parameters do not depend on it"],
    ),
    "a choice of parameters for operations": (
        lambda p: p["counts"]["macs-50"].update(of="weights"),
        ["counts.macs-50.of", "take it out"],
    ),
    "a rule that depends on the scale": (
        lambda p: p["counts"]["macs-50"].update(lr={"x2": [50, 50]}),
        ["counts.macs-50.lr", "depends on the scale"],
    ),
    "an image that is cut and has no fraction": (
        lambda p: p["counts"]["macs-50"].update(cut=True),
        ["counts.macs-50.cut", "output"],
    ),
    "biases among multiply-adds": (
        lambda p: p["counts"]["macs-50"].update(biases=True),
        ["counts.macs-50.biases", "FLOP alone"],
    ),
    "an unknown kind of size": (
        lambda p: p["counts"]["macs-50"].update(count="mac"),
        ["counts.macs-50.count", "did you mean 'macs'?"],
    ),
    "counted alone, and trained": (
        lambda p: p["systems"]["edsr"].update(size_only=True),
        ["systems.edsr", "size_only", "says how it is trained"],
    ),
    "counted alone, and run": (
        lambda p: p["tracks"]["gv-stated"].update(ours=["srgan-small"]),
        ["tracks.gv-stated.ours", "'srgan-small' is only counted"],
    ),
    "unknown word of a choice": (
        lambda p: p["recipes"]["edsr"].update(precision="fp16"),
        ["recipes.edsr.precision", "'fp16'"],
    ),
}
