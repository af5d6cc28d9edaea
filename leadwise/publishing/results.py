"""The published tables: one list, over ``analysis/results``. README, RESULTS.md, cards and report show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from leadwise.names import CLASSES, SUPERCLASSES
from leadwise.publishing.render import ANOTHER_MODEL, Cell, Listing, Printed, Section, Sentence, Table
from leadwise.publishing.sentences import (
    TRANSFORMERS,
    always_the_same,
    beside_its_kind,
    each_difference,
    each_paired,
    epochs_of_windows,
    fixed_epochs,
    gained_by_ranking,
    lead_over_the_best_baseline,
    not_yet_run,
    paired_or_not,
    readers_of_others,
    shown_or_not,
    training_errors,
    training_seconds,
    wrongly_v,
)
from leadwise.publishing.shipped_files import FOLD_STUDENTS, checksum
from leadwise.scores.benefit import SHOWN

_PAGES = {
    "task": ("four", "binary"),
    "protocol": "grouped",
    "unit": "page",
    "condition": ("", "ensemble=seeds"),
}
_PAGE_LINES = ("model", "weights", "ensemble", "task", "protocol", "n", "seeds")
_PAGE_CELLS = (Cell("accuracy"), Cell("macro_f1"), Cell("macro_auroc"))
_FLOORS = ("tuned_classical", "strip_features", "rate", "random_encoder", "base_rates")
_BY_GROUPS = "Pooled test answers; intervals by bootstrap over groups, given these trainings."
_BY_PEOPLE = "Intervals by bootstrap over people, since beats and windows of one heart are alike."
_BEAT_CELLS = (
    Cell("macro_f1", "macro-F1 (N, S, V)"),
    Cell("accuracy"),
    Cell("recall_S", "sensitivity of S"),
    Cell("ppv_S", "PPV of S"),
    Cell("recall_V", "sensitivity of V"),
    Cell("ppv_V", "PPV of V"),
)
_OF_CNN = {"notebook": "27_image_leakage", "task": "four", "model": "lead_cnn"}
_SEVERAL = re.compile(".+/.+")
_OF_PAGES = {"task": "four", "protocol": "grouped", "condition": "", "seeds": _SEVERAL}
_ANY = re.compile(".+")
_OF_SHIPPED = {"notebook": "score_shipped"}
_KIND = {"model": "beat_rhythm", "task": "aami5", "protocol": ("interpatient", "interpatient_strict")}
_OF_A_KIND = re.compile("(class|sex|month|rate|quality|triangle)=.+")
_ABROAD = {"task": "external", "counted": "fold_10", "question": "mi", "shift": "", "model": "leads12"}
_HEARTS = {"notebook": "30_image_hearts", "protocol": "elsewhere"}
_OURS = {"task": "aami5", "model": "beat_rhythm", "condition": "", "counted": "all"}
_ONE_SEED = _OURS | {"model": re.compile("(?!beat_rhythm$).+")}
_SPLIT, _BY_PERSON = {"protocol": "leaky_beats"}, {"protocol": "interpatient"}


TABLES: Mapping[str, Section] = {
    "image_leakage": Table(
        "What a leak is worth",
        ({"notebook": "27_image_leakage", "condition": "", "counted": "all"},),
        ("task", "protocol", "unit", "n"),
        (
            Cell("accuracy", "`lead_cnn`", {"model": "lead_cnn"}),
            Cell("accuracy", "`leads12_joined`", {"model": "leads12_joined"}),
        ),
        (
            Sentence(
                {"notebook": "27_image_leakage", "metric": "accuracy", "counted": "all"}, each_difference
            ),
        ),
        intro="The same two networks under every protocol, nothing chosen, as many steps in every training: a small CNN "
        "that sees single leads, as published networks do, and the page model that 26 chose. Protocols that begin with "
        "`leaky` do as published work does, and are counted as it counts, but for `leaky_copy_weights`: it shares no page, "
        "and weighs each by its copies. None of their scores says how well a page is read. What the leak "
        "itself is worth is the first difference of each network: under both protocols a page weighs as much as it has copies, and under one of them a copy of what is tested is among them. It is told over "
        "all pages, also those without a copy; and the leaky training holds a tenth more different pages, since one whose files "
        "are parted is on both sides.",
        pictures={
            "falling_score.png": "The accuracy of two networks, and the small CNN's sensitivity of each class, from published "
            "ways of splitting and counting to folds that share no copy and no printed id"
        },
        caption="Accuracy. Seed one; all epochs of the recipe, nothing chosen; intervals by bootstrap over printed ids, given these "
        "trainings: what another training would give is in none of them. Counted by file "
        "(or lead): as published, repeats and all; by page: each page once, by the network of one of its files. 26 ends "
        "a training after the epochs that its inner folds choose, so the same network under `grouped` scores otherwise there.",
    ),
    "image_learning_curve": Table(
        "A month, and the number of pages",
        ({"notebook": "27_image_leakage", "pages": _ANY},),
        ("model", "protocol", "counted", "pages", "n"),
        (Cell("accuracy"), Cell("macro_f1"), Cell("macro_auroc")),
        (
            Sentence(
                {"notebook": "27_image_leakage", "metric": "accuracy", "counted": "largest_month"},
                each_difference,
            ),
        ),
        intro="A network that learned from the other months alone also learned from fewer pages: two thirds of all pages are of "
        "the largest month. So that month is answered three times: from other months, from as many pages of all months, and from "
        "all pages. The first two differ in the months, and in the shares of the classes that these hold; the last two in the number "
        "of pages alone.",
        pictures={
            "learning_curve.png": "Accuracy by number of pages that a network learned from, and on the pages of the largest "
            "month: from other months, from as many of all months, from all"
        },
        caption="Seed one; each fold's training pages drawn class by class, fewer ones part of more; as many steps in every "
        "training. Intervals by bootstrap over printed ids, given these trainings.",
        may_lack=True,
    ),
    "image_leads12": Table(
        "One model for the whole page",
        (_PAGES | {"model": "leads12", "notebook": "26_image_leads12"},),
        _PAGE_LINES,
        _PAGE_CELLS,
        (
            Sentence(
                {
                    "notebook": "26_image_leads12",
                    "protocol": "grouped",
                    "minus": _FLOORS,
                    "metric": "accuracy",
                },
                shown_or_not,
            ),
        ),
        intro="All four classes, and normal against abnormal heartbeat alone; no copy and no printed id on both sides. "
        "Within a run every choice is made on inner folds; over the project the same test folds were answered for several "
        "times while candidates changed, so up to about 0.01 of accuracy may be selection ([OPENED.md](OPENED.md)). Every "
        "page has its heart rate printed at its foot: what is more than that, and than the best that was found without a "
        "trained network?",
        pictures={
            "beside_the_rate.png": "The page model and baselines beside the printed heart rate alone: accuracy and AUROC "
            "with intervals, and the paired difference"
        },
        remarks=(lead_over_the_best_baseline,),
        caption=f"{_BY_GROUPS} The mean over the seeds; `seeds`: their mean answer to a page, an ensemble. To learn from PTB-XL's "
        "drawn recordings first was tried once, outside these runs, and showed no gain for this model (2026-11-28-8 in "
        "[OPENED.md](OPENED.md)). What is left of it in another country stands [below](#in-another-country).",
    ),
    "image_floors": Table(
        "What can be had without a trained network, on the same pages",
        (_PAGES | {"model": _FLOORS, "notebook": "26_image_leads12"},),
        ("model", *_PAGE_LINES[3:]),
        _PAGE_CELLS,
        caption="Fitted on the page model's training pages, asked about its test pages. `tuned_classical` is a logistic "
        "regression or support vectors, on the numbers of `strip_features` alone or beside the usual beats, chosen on inner "
        "folds by log-loss, as the page model is.",
    ),
    "image_recalls": Listing(
        "Each class",
        {
            "notebook": "26_image_leads12",
            "model": "leads12",
            "task": "four",
            "counted": "all",
            "seeds": _SEVERAL,
        },
        "`leads12`",
        tuple(Cell(f"recall_{label}") for label in CLASSES),
        caption="Means over the seeds; n is the pages of one seed.",
    ),
    "image_rates": Table(
        "Abnormal pages that are not fast",
        ({"metric": "recall_abnormal_heartbeat", "counted": ("rate_up_to_90", "rate_above_90")},),
        ("model", "task", "counted", "n", "seeds"),
        (
            Cell("recall_abnormal_heartbeat"),
            Cell("recall_abnormal_heartbeat", "minus `tuned_classical`'s", minus="tuned_classical"),
        ),
        intro="Most abnormal pages are fast, and their printed rate alone tells it. The sensitivity of all hides those of "
        "90 bpm or less, which are the ones that somebody must read.",
        caption=_BY_GROUPS,
        may_lack=True,
    ),
    "image_subgroups": Table(
        "Who is read well",
        ({"notebook": "26_image_leads12", "metric": "accuracy", "condition": _OF_A_KIND},),
        ("condition", "n"),
        (Cell("accuracy", "right answers of `leads12`"),),
        intro="By class, sex, month, printed rate and how well a page was read: the share of time columns with ink in the "
        "lead that has least, and how far I + III is from II.",
        caption="The first seed, Wilson's intervals, nothing under ten pages, no ranking: each group has its own mix of "
        "classes.",
        may_lack=True,
    ),
    "image_doubtful": Table(
        "Labels to doubt",
        ({"metric": "doubtful"},),
        ("model", "n", "seeds"),
        (Cell("doubtful"),),
        intro="Pages for which the five networks of the first seed that never saw them (the outer one of their fold, and the "
        "inner ones that left it out, as they helped to choose) all give one answer that is not the label. They stand in "
        "[doubtful.csv](results/doubtful.csv).",
        caption="A reason to look at a page. Their share is no estimate of how many labels are wrong: the networks learned "
        "from the same labels, and a page unlike all others of its class is contradicted too. An earlier training by the same "
        "recipe contradicted seven labels, four of these among them.",
        may_lack=True,
    ),
    "student_test": Table(
        "A student and its teacher",
        (
            {"notebook": "42_student_test"},
            {"notebook": "26_image_leads12", "model": "leads12", "task": "four", "condition": ""},
        ),
        ("model", "loss", "calibrated", "n", "seeds"),
        (
            Cell("accuracy"),
            Cell("macro_f1"),
            Cell("log_loss"),
            Cell("accuracy", "accuracy minus untaught", minus="loss=untaught"),
            Cell("accuracy", "minus the teacher's", minus="leads12"),
            Cell("agreement"),
        ),
        (Sentence({"notebook": "41_student_distill", "metric": "train_s"}, training_seconds, "scores"),),
        intro="The page model teaches a network that is small enough for any machine. Every taught student stands beside "
        "the same student untaught, paired on the same folds. `consistent`, by which the student that ships was taught, "
        "is no better than untaught: <!-- score:taught_minus_untaught --><!-- /score --> in accuracy, less than these pages can "
        "show, and worse by macro-F1, <!-- score:taught_macro_f1_minus_untaught --><!-- /score -->, and by log-loss, "
        "<!-- score:taught_log_loss_minus_untaught --><!-- /score -->, where more is worse and the training before this one "
        "showed no difference. The published student, MobileNetV3 on single leads, is far below its teacher, taught by "
        "the published loss too: <!-- score:mobilenet_taught_minus_teacher --><!-- /score --> in macro-F1; there teaching gave "
        "<!-- score:mobilenet_taught_minus_untaught --><!-- /score --> in macro-F1, of one seed.",
        pictures={
            "what_teaching_gives.png": "The difference that each way of teaching made, with paired intervals"
        },
        caption=f"{_BY_GROUPS} Every loss trains all epochs of one recipe on the same folds from the same first weights, "
        "and nothing is chosen.",
    ),
    "shipped_pages": Table(
        "The page model's networks and the student, from their files",
        (_OF_SHIPPED | {"task": "four"},),
        ("model", "from", "protocol", "n", "seeds"),
        (*_PAGE_CELLS, Cell("log_loss")),
        (Sentence(_OF_SHIPPED | {"metric": "training_pages_wrong"}, training_errors, "scores"),),
        (checksum("student12.onnx"),),
        intro="The published networks of seed one, each asked again about the pages of the fold that it never saw; and the student, "
        "which they taught.",
        caption=_BY_GROUPS,
    ),
    "student_export": Listing(
        "The student as one file",
        {"notebook": "43_student_export"},
        "`student12`",
        (
            Cell("parameters"),
            Cell("size_mb"),
            Cell("ms_per_page"),
            Cell("ms_network", "of which the network in ONNX, ms", {"runtime": "onnx", "model": "student12"}),
            Cell("ms_network", "the same network in torch, ms", {"runtime": "torch", "model": "student12"}),
            Cell("cold_start_s"),
            Cell("peak_memory_mb"),
            Cell("times_as_fast", "times as fast as `vit_base` on twelve leads, both in ONNX"),
            Cell("parity_largest_difference"),
            Cell("parity_same_decision"),
            Cell("decisions_changed"),
            Cell("ms_network", "the network in int8, ms", {"runtime": "onnx_int8"}),
            Cell("refused", "made pictures that are refused", {"page": "made"}),
            Cell("refused", "real pages that are refused, out of fold", {"page": "real"}),
            Cell("warned", "real pages called unlike the training pages, out of fold", {"page": "real"}),
        ),
        caption="Times of one core, the fastest. `vit_base` has random weights here. Decisions: those of fold students, on pages "
        "that they never saw.",
    ),
    "image_transformers": Table(
        "The transformers, lead by lead, and the page as one picture",
        ({"notebook": TRANSFORMERS, "protocol": "grouped"},),
        ("model", "weights", "task", "protocol", "n", "seeds"),
        _PAGE_CELLS,
        remarks=(not_yet_run,),
        intro="Networks that see one lead at a time, as published ones do. Those run so far are small ones from random "
        "weights, by one recipe, with nothing chosen; the page model's design was chosen, and it sees all leads at once. "
        "Compute, parameters and pre-training are not matched: this is no comparison of architectures.",
        caption=f"{_BY_GROUPS} Leads one by one, a page by their mean; `page_vit_micro` sees the whole page at once, shrunk as "
        "a published notebook does it: in this training it learned which class is the most frequent, and nothing else.",
    ),
    "image_drawn_leads": Table(
        "Drawn leads before pages",
        ({"notebook": "37_image_drawn_leads", "protocol": "grouped"},),
        ("model", "weights", "task", "protocol", "n", "seeds"),
        _PAGE_CELLS,
        (
            Sentence(
                {"notebook": "37_image_drawn_leads", "metric": ("accuracy", "macro_f1", "log_loss")},
                each_paired,
            ),
        ),
        intro="The same networks by the same recipes, whose bodies first learned PTB-XL's superclasses from drawn leads of its "
        "fold 10, minus themselves from the weights of the table before: the same pages, folds, batches and first heads. All "
        "epochs, fixed beforehand; nothing chosen.",
        caption=f"{_BY_GROUPS} One training of each fold and beginning: what another training would give is in no interval.",
        may_lack=True,
    ),
    "shipped_beats": Table(
        "The file that names beats",
        (_OF_SHIPPED | {"task": "aami5"},),
        ("beats", "counting", "counted", "average", "n"),
        _BEAT_CELLS,
        (Sentence(_OF_SHIPPED | {"metric": "false_V"}, wrongly_v, "scores"),),
        (checksum("beat_rhythm.onnx"),),
        intro="The very file that `leadwise predict` names beats by, on DS2, none of whose records it was shown (202 is of the man "
        "of 201, which it was): with the annotators' beats, and with those that it finds itself, as it answers. It is a network of seed one; the "
        "mean of three that the same recipe trained again stands in the next table.",
        caption="`found`: matched with the annotators' beats within 150 ms; a beat that was missed counts against its class, "
        "one that was made up against the class that it is called. `ec57`: without the first five minutes, and a fusion or "
        "unknown beat called V, or an unknown one called S, is not charged. `gross` is over all beats, `record` the mean "
        "of records in which it is defined, as EC57 asks for both. Record 232 holds most of DS2's S; 202 is of a man whose "
        "other record was learned from. Intervals by bootstrap over records.",
    ),
    "signal_beats": Table(
        "Recordings, beat by beat",
        (
            {"task": "aami5", "protocol": "interpatient", "condition": ""},
            {"model": "beat_rhythm", "protocol": "interpatient_strict", "condition": ""},
            {"model": "beat_rhythm", "protocol": "interpatient", "condition": "counting=ec57"},
        ),
        ("model", "protocol", "counting", "counted", "n", "seeds"),
        _BEAT_CELLS,
        remarks=(
            partial(
                paired_or_not,
                where={"model": "beat_rhythm_plain", "minus": "beat_rhythm", "protocol": "interpatient"},
                lacking="`beat_rhythm_plain` has one seed, and no difference over as many trainings of each is published: on "
                "DS2 no gain is shown.",
            ),
        ),
        intro="MIT-BIH, DS1 to DS2: no record learned from is tested; 201 and 202 are of one man, on both sides of that "
        "division, and `interpatient_strict` leaves 202 out. Most beats are N, so macro-F1 over N, S and V, and S and V "
        "themselves, tell more than accuracy. S is missed above all in record 232, whose rhythm is mostly S: measured by "
        "its own usual beat and interval, an early beat is probably the usual one there. The remedy tried, a training in "
        "which beats are also seen beside what is usual in stretches of their record (`beat_rhythm`; `beat_rhythm_plain` is "
        "without), was chosen on records left out of DS1; what it gives on DS2 is said beneath the table, by the first seed of both.",
        pictures={
            "beside_papers.png": "Sensitivity and PPV of S and V beside those that papers print, and of `ratios_alone`, which "
            "knows only how early a beat comes; papers count by their own rules, and ours is a mean over seeds; a tick: no PPV is printed",
            "record.png": "A record of DS2 as `leadwise predict` draws it, by a network that was shown no record of DS2: half "
            "an hour as a strip chart, beats coloured by class, rare ones enlarged",
        },
        caption=f"Test answers. {_BY_PEOPLE} `beat_rhythm_plain` was tested on DS2 before `beat_rhythm` was made, which was "
        "chosen inside DS1 again. `always_normal` and `ratios_alone` are floors.",
    ),
    "signal_networks": Table(
        "Every network of a coursework",
        (
            _ONE_SEED | {"protocol": ("interpatient", "leaky_beats")},
            _OURS | {"protocol": "interpatient", "seeds": _SEVERAL},
            _OURS | {"protocol": "leaky_beats"},
            {
                "task": "aami5",
                "protocol": "",
                "metric": ("parameters", "epochs", "s_per_epoch", "ms_per_beat"),
            },
        ),
        ("model",),
        (
            Cell("accuracy", "accuracy, split at random", _SPLIT),
            Printed("accuracy", "as its authors print it", "beats", "leaky_beats"),
            Cell("accuracy", "accuracy, by person", _BY_PERSON),
            Cell("macro_f1", "macro-F1, split at random", _SPLIT),
            Cell("macro_f1", "macro-F1, by person", _BY_PERSON),
            *(
                Cell(metric, where={"protocol": ""})
                for metric in ("parameters", "epochs", "s_per_epoch", "ms_per_beat")
            ),
        ),
        (
            Sentence(
                {
                    "task": "aami5",
                    "minus": ("ratios_alone", "beat_rhythm"),
                    "protocol": "interpatient",
                    "metric": "macro_f1",
                },
                partial(shown_or_not, by="minus"),
            ),
        ),
        (
            partial(
                paired_or_not,
                where={
                    "task": "aami5",
                    "protocol": "interpatient",
                    "metric": "accuracy",
                    "minus": "always_normal",
                },
                lacking="Whether by person a network is right more or less often than `always_normal` is not shown: no paired "
                "difference is published.",
            ),
            fixed_epochs,
        ),
        intro="The networks of a coursework on beats by Mesut Ceylan, Sven Gregorio and Moritz Vandenhirtz ([ETH Zürich]"
        "(https://github.com/ceylanmesut/Arrhythmia-Detectron-A-Deep-Dive-into-Electrocardiogram-ECG-Signal-Classification)), rebuilt in its sizes and trained by one engine: on beats "
        "split at random, as it splits them, beside what it prints, and by person. Where its code does something else "
        "than its report says, there are two: as published, and with `_meant` as meant. The autoencoder and the "
        "transformer are announced there and lacking. An accuracy by person is to be read beside that of `always_normal`, which like `ratios_alone` is no network. What is printed comes from another draw of the beats and without an "
        "interval: it stands beside, and is not compared.",
        pictures={
            "price_beats.png": "Each network split at random, as its authors print it, and by person: accuracy and "
            "macro-F1 with intervals"
        },
        caption="The coursework trains for more epochs, and stops when nothing improves. Seconds an epoch of DS1, the "
        f"median, with another training beside it; milliseconds for one beat alone. {_BY_PEOPLE}",
    ),
    "signal_ensemble": Table(
        "Several networks as one",
        ({"notebook": "33_signal_ensemble", "k": _ANY, "ranked_on": ""},),
        ("protocol", "n", "k"),
        (
            *(Cell("macro_f1", f"{how}, macro-F1", {"model": how}) for how in ("mean", "vote", "logistic")),
            Cell("macro_f1", "logistic minus the best single network", {"model": "logistic"}, ANOTHER_MODEL),
        ),
        (
            Sentence(
                {"notebook": "33_signal_ensemble", "minus": "ranked_on=val", "metric": "macro_f1"},
                gained_by_ranking,
            ),
        ),
        intro="Joined by mean, vote, or a regression that learns how far to trust each from beats on which none of them "
        "was trained.",
        pictures={
            "score_by_number.png": "Macro-F1 of the k best networks joined in three ways, ranked where nobody was trained, "
            "and ranked on the test set"
        },
        caption="Of the k best networks joined, ranked by macro-F1 and fitted on beats that none of them was trained on; no "
        "network is trained again; k is not chosen. The best single network is the one that is best there. They are networks of an "
        "earlier training (2026-11-28-2) than those of 32 above. "
        f"{_BY_PEOPLE}",
    ),
    "signal_transfer": Table(
        "From one hospital's beats to another's",
        ({"notebook": "34_signal_transfer", "protocol": ("patient_folds", "leaky_beats")},),
        ("task", "model", "way", "protocol", "unit", "n"),
        (
            Cell("accuracy"),
            Cell("auroc"),
            Cell("auprc"),
            Cell("auroc", "AUROC minus scratch's", minus="way=scratch"),
            Cell("accuracy", "accuracy: what the leak adds", minus="protocol=patient_folds"),
        ),
        (
            Sentence(
                {"notebook": "34_signal_transfer", "unit": "beat", "metric": re.compile("always_.*")},
                always_the_same,
                "scores",
            ),
        ),
        (
            partial(
                paired_or_not,
                where={"task": "normal", "protocol": "patient_folds", "unit": "patient", "metric": "auroc"}
                | {"minus": "age_alone"},
                lacking="Whether a network tells more than the patient's age is not shown: no paired difference is published.",
            ),
        ),
        intro="A network that has learned the beats of MIT-BIH, and one that begins from nothing, tell normal recordings "
        "of PTB-XL from others: by patient, and by beats at random as published.",
        pictures={
            "three_ways.png": "Frozen, tuned and from scratch, beside the rate, the age and the frequent class alone: by beat and by patient, "
            "split by patient and at random"
        },
        caption="A beat has its recording's label; intervals by bootstrap over patients. Differences are paired. Nothing is "
        "chosen. `frequent_class`, `rate_alone` and `age_alone` are floors; the last looks at no ECG.",
    ),
    "signal_windows": Table(
        "Windows of ten seconds",
        ({"task": "window"},),
        ("model", "protocol", "n", "seeds"),
        (
            Cell("accuracy"),
            Cell("balanced_accuracy"),
            Cell("recall_abnormal", "sensitivity of abnormal"),
            Cell("ppv_abnormal", "PPV of abnormal"),
        ),
        intro="A published network for windows of ten seconds, split at random as it was, and by person. `record_alone` is "
        "what knowing whose window it is gives: no network has to look at the window for that.",
        remarks=(
            partial(
                paired_or_not,
                where={"task": "window", "protocol": "patient_folds", "minus": "always_normal"},
                lacking="Whether by person the network is right more or less often than `always_normal` is not shown: no paired "
                "difference is published.",
            ),
            epochs_of_windows,
        ),
        pictures={"price_windows.png": "The network for windows as published and by person"},
        caption=f"Test answers. {_BY_PEOPLE} Nothing is chosen. `always_normal` and `record_alone` are floors.",
    ),
    "signal_detection": Table(
        "Which beats are found",
        ({"notebook": "bench_qrs"},),
        ("model", "counted", "n"),
        (Cell("sensitivity"), Cell("positive_predictivity"), Cell("slowest_record_s")),
        intro="`leadwise predict` must find the beats of a recording before it can name them. Its detector looks at all "
        "leads together; those of wfdb look at one. Some twenty settings of ours were tried, and one was chosen by DS1 "
        "with the scores of the other records beside: of DS1 the figures are those of what was chosen by it, and of DS2 "
        "and the paced records they are not those of records that nobody had looked at. Whether ours finds more than "
        "the others was not compared beat by beat, and is not shown.",
        caption="`all_leads` and `one_lead` are ours; `xqrs` and `gqrs` those of wfdb. `after_5_min` is all records as "
        "EC57 counts them, without their first five minutes; DS1, DS2 and the paced records are counted whole. Four "
        "records are paced: their intervals are of four hearts. The slowest record: half an hour of signal, seconds of "
        "one core.",
    ),
    "signal_rhythm": Table(
        "Atrial fibrillation",
        ({"notebook": "35_signal_rhythm"},),
        ("model", "protocol", "test_set", "counted", "truth", "n"),
        (Cell("f1_af", "F1"), Cell("recall_af", "sensitivity"), Cell("ppv_af", "PPV")),
        (),
        (checksum("af_stretch.onnx"),),
        intro="Stretches of half a minute, described by their intervals and by how alike beats and P waves are; trees that learned "
        "from part of CinC 2017 and from DS1. `held_out`: recordings of CinC 2017 that taught nobody, weighed to the classes' published "
        "counts; whose they are is not told. `interpatient`: time in DS2, in episodes that were found against those that cardiologists "
        "noted (`afib_afl`: fibrillation or flutter; `afib`: fibrillation alone, flutter counting as false). Record 202 is of a man of DS1. "
        "These rows were designed after DS2's errors were seen ([OPENED.md](OPENED.md)). `external`: ten seconds of lead II of PTB-XL's fold 10, "
        "which is as much as a printed strip shows, but as recorded.",
        pictures={
            "episodes.png": "Records of DS2 in which atrial fibrillation or flutter was noted or found: when cardiologists noted it, and when it is found"
        },
        caption="`af_stretch` ships; `af_intervals` are the same trees on intervals alone, `af_entropy` on the sample entropy of intervals. n: "
        "recordings, or seconds in truth. Intervals by bootstrap over recordings or records; of DS2 few people have it, so those are wide.",
        may_lack=True,
    ),
    "signal_beats_joined": Table(
        "Two models of beats as one",
        ({"notebook": "36_signal_beats_joined"},),
        ("protocol", "model", "gate", "counted", "average", "counting", "n", "seeds", "designed"),
        _BEAT_CELLS,
        (Sentence({"notebook": "36_signal_beats_joined", "metric": "macro_f1"}, each_difference),),
        intro="`beat_trees` are boosted trees on 64 numbers of a beat, `beat_network` the network of `beat_rhythm` without twins, `beats_joined` "
        "both, by the mean of their logarithms; with the gate no beat in an episode of fibrillation that `af_stretch` finds is S. Of three "
        "classes, N, S and V: fusions and unknown beats are errors. `interpatient_svdb` learns from DS1 and from the supraventricular database "
        "(Greenwald 1990) and is tested on DS2; `svdb` learns from DS1 alone and is tested on all of that database. How they are joined was chosen on "
        "records that taught neither. These rows were designed after DS2's errors were seen, and after a prototype had answered for both sets "
        "([OPENED.md](OPENED.md)). None of them ships: on left-out records of that database the gain over the file that does was not shown.",
        caption="Annotated beats. `ec57`: without the first five minutes, and a fusion or unknown beat called V, or an unknown one called S, is not charged. "
        "`gross` is over all beats, `record` the mean of records in which it is defined. Record 232 holds most of DS2's S. Intervals by bootstrap over "
        "records; seeds are drawn, too.",
        may_lack=True,
    ),
    "image_external": Table(
        "In another country",
        ({"task": "external", "shift": "", "paper": ""},),
        ("counted", "question", "n"),
        (
            Cell("units_asked", "n with it"),
            Cell("auroc", "page model", {"model": "leads12", "filter": "zero_phase"}),
            Cell("auroc", "page model, causal filter", {"model": "leads12", "filter": "causal"}),
            Cell("auroc", "student", {"model": "student12", "filter": "zero_phase"}),
            Cell("auroc", "student, causal filter", {"model": "student12", "filter": "causal"}),
            Cell("auroc", "rate alone", {"model": "rate"}),
            Cell("auroc", "interval spread times rate", {"model": "spread_times_rate"}),
            Cell("auroc", "age alone", {"model": "age_alone"}),
        ),
        intro="Recordings of PTB-XL (Germany, 1980s and 1990s), printed as this form would print them, ask whether the page "
        "model learned the heart or the hospital. Neither it nor the student saw one of them. A question is a statement "
        "against another, ranked by the share of the MI classes among these and normal, rhythms by that of abnormal heartbeat. "
        "Normal is NORM alone in a usual sinus rhythm. By the share of MI, ST-T changes with no infarction stated "
        "(`sttc_alone`) rank as the table says, beside infarctions (`mi`): it means *not normal*. What the models call a recording is not "
        "published: by what filter this device prints 0.67 to 25 Hz is not known, and the filter alone moves the calls, so "
        "each figure is there for one without shift in phase and for one that runs forwards alone (causal).",
        pictures={
            "elsewhere.png": "AUROC of the page model, the student and the heart rate at each question (of rhythms also of the spread of intervals times the "
            "rate), on fold 10 of PTB-XL and on its other folds, there beside age"
        },
        caption="AUROC. The five fold networks of seed one, calibrated on their inner folds, mean over the five; the student is "
        "the file that ships. `fold_10`: any stated infarction without NORM (`mi`), without another superclass (`mi_alone`); "
        "`folds_1_to_9`: those of known age, also infarction at a likelihood of 50 % and more (`sure_mi`).",
    ),
    "image_elsewhere_beside": Table(
        "The same beside age, the rate and each other",
        ({"notebook": "53_image_elsewhere", "model": ("leads12", "student12"), "metric": "auroc"},),
        ("counted", "question", "model", "filter", "n"),
        (
            Cell("auroc", "minus the rate's", minus="rate"),
            Cell("auroc", "minus that of interval spread times rate", minus="spread_times_rate"),
            Cell("auroc", "minus age's", minus="age_alone"),
            Cell("auroc", "minus the page model's", minus="leads12"),
            Cell("auroc", "minus the same by zero phase", minus="filter=zero_phase"),
        ),
        caption="AUROC, paired on the same recordings.",
    ),
    "image_external_calibration": Table(
        "A share of infarction abroad is no probability",
        ({"task": "external", "shift": _ANY},),
        ("model", "filter", "counted", "shift", "n"),
        (
            Cell("log_loss"),
            Cell("ece"),
            Cell("ece_floor", "the same of a perfect model with these confidences"),
        ),
        caption="Infarction against normal, by the share of the MI classes; `shift` tells whether the odds were moved to the "
        "frequency of infarctions among these recordings.",
    ),
    "image_hearts": Table(
        "A network for pages of any form",
        ({"notebook": "30_image_hearts", "protocol": "elsewhere"},),
        ("model", "weights", "filter", "n", "seeds"),
        (
            Cell("macro_auroc", "AUROC, mean of five"),
            *(Cell(f"auroc_{name}", name) for name in SUPERCLASSES),
            Cell("ece"),
            Cell("ece_floor", "the same of a perfect model with these confidences"),
        ),
        (
            Sentence(_HEARTS | {"metric": "macro_auroc"}, each_paired),
            Sentence(
                _HEARTS | {"filter": "zero_phase", "minus": "age_alone", "metric": re.compile("auroc_.+")},
                each_paired,
            ),
        ),
        (checksum("hearts.onnx"),),
        intro="`hearts` names PTB-XL's superclasses, of which several may hold: normal, infarction, ST-T changes, conduction, "
        "hypertrophy. It learned from fold 10 and is asked about recordings of other folds, as the known form prints them. "
        "`file` is what ships, the mean of the seeds, calibrated on inner parts of fold 10; these recordings are mostly "
        "normal, which alone moves the calibration error. They are the first of the set, so figures of whole folds, as others "
        "publish, are no comparison.",
        pictures={
            "hearts.png": "AUROC of each superclass on recordings of other folds, and of infarction on pages of another country, "
            'beside age, plain numbers and the printed rate; "not normal" is that of the pages'
        },
        caption="AUROC; all statements count. Network, epochs and learning rate were fixed beforehand, in a trial in which this and "
        "other networks had answered for these same recordings. `strip_features`: a logistic regression on 41 numbers of a page, fitted on the same "
        "recordings. Intervals by bootstrap over patients, given these trainings.",
    ),
    "image_hearts_reverse": Table(
        "The other way round: pages of another country",
        ({"notebook": "30_image_hearts", "protocol": "reverse"},),
        ("question", "counted", "n"),
        (
            Cell("auroc", "`hearts`", {"model": "hearts"}),
            Cell("auroc", "printed rate alone", {"model": "rate"}),
        ),
        (Sentence({"notebook": "30_image_hearts", "protocol": "reverse", "counted": "all"}, each_paired),),
        intro="No weight of `hearts` has seen a page of the Mendeley set, nor a heart of its country; its design is the page model's, which was "
        "chosen on these pages. An infarction or a history of "
        "one is told from normal by how much its odds of MI exceed those of NORM; anything that is not normal by the odds of NORM.",
        caption="AUROC against normal pages; by all pages, and by bands of the printed rate, which tells much of a page's class. "
        "Another network, taught on the same recordings in a trial before, had 0.906 on all infarctions; this one had been "
        "preferred before either was asked. Intervals by bootstrap over printed ids.",
    ),
    "image_paper": Table(
        "What a page costs",
        ({"notebook": "bench_through_paper", "task": "hearts"},),
        ("paper", "signals", "n"),
        (
            Cell("macro_auroc", "AUROC, mean of five"),
            *(Cell(f"auroc_{name}", name) for name in SUPERCLASSES),
            Cell("pages_refused", "refused besides"),
        ),
        (
            Sentence(
                {"notebook": "bench_through_paper", "task": "hearts", "metric": "macro_auroc"}, each_paired
            ),
        ),
        intro="Recordings of other folds than those that taught `hearts`, drawn as other devices print them (layouts `6x2+1`, `4x3+1` and "
        "`3x4+3` by turns, grids, pens, bands and scanners at random) and read by the reader of any page: `read`. `by_phone`: the page was "
        "bent and photographed first. `direct`: the same recordings without a page, as the known form prints them. Layouts, and how many "
        "recordings of the first of the set, were fixed by the time that reading takes. A first run had asked about 216 of them, and "
        "the reader of photographs was changed since, by other pages ([OPENED.md](OPENED.md)).",
        caption="AUROC on recordings whose page was read; a refused page has no answer. Those photographed are the first third of the "
        "recordings, so the difference tells what one costs, not the row above. It holds the band too: pages are drawn from 0 Hz "
        "up to 25, 40, 100 or 150 Hz, `direct` has 0.67 to 25 Hz. Intervals by bootstrap over patients.",
    ),
    "image_paper_rhythm": Table(
        "Fibrillation on a strip that was read",
        ({"notebook": "bench_through_paper", "task": "external"},),
        ("signals", "n"),
        (
            Cell("auroc", "rate alone", {"model": "rate"}),
            Cell("auroc", "interval spread times rate", {"model": "spread_times_rate"}),
            Cell("auroc", "`af_stretch`", {"model": "af_stretch"}),
        ),
        (Sentence({"notebook": "bench_through_paper", "task": "external"}, each_difference),),
        intro="Fold 10's lead II, 10 s, as a strip of the same kinds of flat pages: atrial fibrillation against sinus rhythm, the first "
        "recordings of each, as many of one as of the other. Nothing was learned from fold 10 here.",
        caption="AUROC on recordings whose page was read. Intervals by bootstrap over patients where known, else over recordings.",
    ),
    "image_leads": Listing(
        "From a page to millivolts",
        {"notebook": "12_image_leads"},
        "pages of the Mendeley set",
        (
            Cell("pages_found"),
            Cell("header_read"),
            Cell("header_right"),
            Cell("heart_rate_right"),
            Cell("einthoven_corr_median"),
            Cell("einthoven_corr_p05", "the same, 5th percentile"),
            Cell("einthoven_rms_mv_median"),
            Cell("einthoven_within_one_pixel"),
            Cell("roundtrip_snr_db_median"),
            *(
                Cell("leads_found", f"leads still found: {words}", {"page": way})
                for way, words in (
                    ("rotated", "turned by 3 degrees"),
                    ("scaled", "half the size"),
                    ("jpeg30", "JPEG of quality 30"),
                    ("border", "a border of 100 px"),
                    ("noise", "grey, with noise"),
                )
            ),
            Cell("refused", "pages of other layouts that were refused", {"page": "foreign"}, shown=".0%"),
            Cell("pages_per_s"),
        ),
        intro="What is cut out of a page is the signal that was printed. Leads I, II and III are printed, cut and digitised "
        "apart, and yet I + III = II, as Einthoven's triangle demands, on nine pages in ten to within one pixel (the root "
        "of the mean square over the lead, each row's offset taken out). That tests the reader, not the heart: devices "
        "usually compute III and the augmented leads from I and II, noise obeys the law too, and an error of gain or time "
        "that all leads share leaves it as it is.",
        pictures={
            "page_to_leads.png": "A page, the boxes found on it, and the twelve leads and rhythm strip cut from them",
            "einthoven.png": "Einthoven's triangle on a real page: three loops lie upon each other; I + III follows II; "
            "residuals of all pages",
        },
        caption="Intervals: Wilson for shares, bootstrap over printed ids for medians and percentiles. Einthoven's residual is "
        "taken about its mean on each page. Foreign pages are drawn. The way there and back: recordings of PTB-XL "
        "printed on the template and read again, a best case without a scanner, neither gain nor time fitted. Pages a "
        "second: layout, crops and millivolts, time of one core, without decoding. Headers: pages drawn at random.",
    ),
    "any_page": Table(
        "Pages of other devices",
        ({"notebook": "bench_any_page"},),
        ("kind", "layout", "n"),
        (
            Cell("read"),
            Cell("layout_right"),
            Cell("snr_db_median", "SNR, median, raw, dB", {"shift": "none"}),
            Cell("snr_db_median", "SNR, median, aligned, dB", {"shift": "aligned"}),
            Cell("snr_db_p5", "SNR, 5th percentile, aligned, dB", {"shift": "aligned"}),
            Cell("unwarned"),
            Cell("silently_wrong"),
            Cell("warnings_auroc"),
            Cell("read_right"),
            Cell("silently_misread"),
            Cell("class_kept"),
            Cell("einthoven_corr_median"),
            Cell("s_per_page"),
            Cell("peak_memory_mb"),
        ),
        intro="The reader of any page, on pages of which it knows no form beforehand. `ludb`: recordings of LUDB, drawn by "
        "others. `drawn`: the twelve embedded recordings of PTB-XL, drawn by `leadwise.drawing.drawn` in every layout and in "
        "looks at random, on coloured grids, `drawn_grey` on grey ones or none. `known_form` and `mendeley`: pages that have "
        "a reader of their own, here read by this one; of real pages the truth is what that reader reads. "
        "`on_a_table`: real pages of the known form, turned by 3 to 40 degrees, seen from the side, on a table. `pdf`: "
        "vector PDFs of recordings of PTB-XL. `photos`: recordings of PTB-XL that others printed, crumpled and photographed; "
        "`drawn_photos`: drawn pages that a program bent and photographed; `drawn_scales`: drawn at other speeds and gains. `twins`: pages that were printed and scanned in black and white, beside what is "
        "read from the drawn page that was printed. `pdf_other`, `devices`, `scans`: what many devices, cameras and scanners "
        "made, without a truth.",
        remarks=(readers_of_others,),
        caption="All are development sets: choices of the reader looked at them. SNR of a page is the median of its leads', "
        "each without its mean, over the pages that were read; a refused page was not read. Raw: neither gain nor time is "
        "fitted; aligned: one shift in time a page, as others allow. A layout is right where every lead "
        "and strip is where it is printed; of `devices`, where the form and the strips are those that were written down by "
        "eye in `tests/benchmarks/devices.csv`. What is told of pages answered without a warning is of these alone, and n is of all. Intervals by bootstrap over recordings.",
        may_lack=True,
    ),
    "image_benefit": Table(
        "Is it worth acting on?",
        ({"metric": "net_benefit"},),
        ("prevalence", "model", "n", "seeds"),
        tuple(Cell("net_benefit", f"from {limit:.0%} on", {"threshold": f"{limit:.2f}"}) for limit in SHOWN),
        caption="Pages rightly acted on, after every needless action has been paid for by threshold / (1 - threshold), "
        "as a share of all (Vickers and Elkin 2006); where the prevalence is not that of the set, it is assumed, and "
        "the probabilities are moved to it. Calibrated on inner folds; intervals by bootstrap over groups.",
        may_lack=True,
    ),
    "serve": Listing(
        "How many pages a server answers",
        {"notebook": ("bench_serve_load", "bench_hostile", "bench_slow_clients")},
        "`leadwise serve`",
        (
            Cell("pages_a_second"),
            Cell("failed", where={"clients": "16"}),
            Cell("p95_ms", "a page, one client, 95th percentile, ms", {"clients": "1"}),
            Cell("refused_by_4xx"),
            Cell("not_refused"),
            Cell("slowest_s", "the slowest of them, s", {"upload": "hostile"}),
            Cell("slowest_processor_s", where={"upload": "hostile"}),
            Cell(
                "slowest_s",
                "the slowest of files made to cost much, at the command line, s",
                {"upload": "costly"},
            ),
            Cell(
                "memory_mb", "the most memory that one of them took, MB", {"upload": "costly", "when": "most"}
            ),
            Cell("first_reply_s"),
            Cell("answered_s"),
            Cell("bytes_left"),
            Cell(
                "slowest_s",
                "a page beside hundreds of silent clients, 256 files to open, the slowest, s",
                {"beside": "half_lines+idle+half_uploads+claims", "files": "256"},
            ),
        ),
    ),
}
"""By the name that stands between a file's marks, in the order of RESULTS.md."""

CARD_TABLES: Mapping[str, Section] = {
    "student_card": Table(
        "The student that ships, by its twins",
        ({"notebook": "42_student_test", "model": "student12", "condition": FOLD_STUDENTS},),
        ("model", "loss", "calibrated", "n", "seeds"),
        (
            *_PAGE_CELLS,
            Cell("log_loss"),
            Cell("ece"),
            Cell("ece_floor", "the same of a perfect model with these confidences"),
        ),
        (Sentence(_OF_SHIPPED | {"metric": "training_pages_wrong"}, training_errors, "scores"),),
        (checksum("student12.onnx"),),
        caption=f"Students of each fold, calibrated as the one that ships, asked about pages that they never saw. {_BY_GROUPS}",
        each_seed=True,
    ),
    "beat_card": Table(
        "Networks of the kind that names beats",
        (_KIND | {"condition": ""}, _KIND | {"condition": "counting=ec57"}),
        ("model", "protocol", "counting", "counted", "n", "seeds"),
        _BEAT_CELLS,
        (
            Sentence(
                _KIND
                | {
                    "metric": "macro_f1",
                    "beats": ("", "annotated"),
                    "counted": "all",
                    "protocol": "interpatient",
                },
                beside_its_kind,
                "scores",
            ),
        ),
        caption=f"Annotated beats; the mean over networks of several seeds, trained again by the file's recipe; the file is none of them. {_BY_PEOPLE}",
        each_seed=True,
    ),
}
"""What stands in cards alone; RESULTS.md shows the same rows elsewhere."""

HEADLINE = Listing(
    "What came out",
    {"profile": "cpu"},
    "what is read, and how",
    (
        Cell(
            "accuracy",
            "pages, a small CNN, split as published (a leak): accuracy",
            _OF_CNN | {"protocol": "leaky_file_90_10", "unit": "file"},
        ),
        Cell(
            "accuracy",
            "the same, no copy nor printed id on both sides: accuracy",
            _OF_CNN | {"protocol": "grouped", "unit": "page", "condition": ""},
        ),
        Cell("accuracy", "pages, by their printed heart rate alone: accuracy", _OF_PAGES | {"model": "rate"}),
        Cell("accuracy", "pages, our page model: accuracy", _OF_PAGES | {"model": "leads12"}),
        Cell(
            "accuracy",
            "pages, students of each fold, trained as the one in `leadwise predict`: accuracy",
            _OF_PAGES | {"model": "student12", "condition": FOLD_STUDENTS},
        ),
        *(
            Cell(
                "auroc",
                words,
                _ABROAD | {"filter": name},
            )
            for name, words in (
                (
                    "zero_phase",
                    "any infarction against normal abroad, zero-phase filter: AUROC of our page model",
                ),
                ("causal", "the same, causal filter: AUROC"),
            )
        ),
        Cell(
            "macro_f1",
            "beats, as `leadwise predict` finds and names them: macro-F1 (N, S, V)",
            _OF_SHIPPED | {"beats": "found", "counting": "", "counted": "all"},
        ),
    ),
    {
        "mendeley": "Khan and Hussain 2021",
        "mitdb": "MIT-BIH, Moody and Mark 2001",
        "ds2": "MIT-BIH (DS2), Moody and Mark 2001",
        "ptbxl": "PTB-XL, Wagner et al. 2022",
    },
    caption="Four classes of pages; no copy and no printed id on both sides unless a line says otherwise. One of DS2's 22 records is of a man of DS1. Intervals by bootstrap over printed ids, patients or people, given these trainings. By `leadwise run --profile cpu --only RUN`, the last by `leadwise score-shipped`.",
)
"""What README shows of them."""
