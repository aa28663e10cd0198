//! The groups of characters that have a name in Go's regular expressions.

use std::{collections::HashSet, sync::LazyLock};

/// `[:name:]`, in a class only.
pub(super) const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The names that are no category and no script, and the categories' short and long names.
const CATEGORIES: &str = "\
    Any Assigned ASCII C Cc Cf Cn Co Cs L LC Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf \
    Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs Cased_Letter Close_Punctuation Combining_Mark \
    Connector_Punctuation Control Currency_Symbol Dash_Punctuation Decimal_Number Enclosing_Mark \
    Final_Punctuation Format Initial_Punctuation Letter Letter_Number Line_Separator \
    Lowercase_Letter Mark Math_Symbol Modifier_Letter Modifier_Symbol Nonspacing_Mark Number \
    Open_Punctuation Other Other_Letter Other_Number Other_Punctuation Other_Symbol \
    Paragraph_Separator Private_Use Punctuation Separator Space_Separator Spacing_Mark Surrogate \
    Symbol Titlecase_Letter Unassigned Uppercase_Letter cntrl digit punct";

/// The scripts of Unicode 15, which Go 1.26 has, and behind them those that came until Unicode 17.
const SCRIPTS: &str = "\
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak \
    Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian \
    Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot \
    Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs \
    Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi \
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic \
    Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi \
    Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu \
    Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen \
    Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs \
    Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa \
    Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian \
    Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage \
    Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic \
    Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng \
    Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil \
    Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho \
    Warang_Citi Yezidi Yi Zanabazar_Square Garay Gurung_Khema Kirat_Rai Ol_Onal Sunuwar Todhri \
    Tulu_Tigalari Beria_Erfe Sidetic Tai_Yo Tolong_Siki";

static KNOWN: LazyLock<HashSet<Vec<u8>>> = LazyLock::new(|| {
    let names = CATEGORIES.split(' ').chain(SCRIPTS.split(' '));
    names.map(plain).collect()
});

/// Whether `\p{name}` is known. Case, spaces, hyphens and underscores don't matter.
pub(super) fn exists(name: &str) -> bool {
    KNOWN.contains(&plain(name))
}

fn plain(name: &str) -> Vec<u8> {
    let bytes = name.bytes().filter(|byte| !b"_- ".contains(byte));
    bytes.map(|byte| byte.to_ascii_lowercase()).collect()
}
