# SPDX-License-Identifier: GPL-3.0-or-later
"""Language: sentences, stems, lexicon, disfluencies. All that is known of English stands here."""
