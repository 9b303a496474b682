extension EnglishReader {
    /// A unit's words for one and for many.
    struct Unit {
        var one: [String]
        var many: [String]
    }

    /// The unit that a symbol stands for; with `isSpaced` only symbols that are no words.
    static func unit(_ symbol: String, isSpaced: Bool) -> Unit? {
        guard !symbol.isEmpty, symbol.utf8.count <= 12 else { return nil }
        if isSpaced, ambiguous.contains(symbol) { return nil }
        if let unit = plain(symbol) { return unit }
        let parts = symbol.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let first = plain(parts[0]), let second = plain(parts[1]) else { return nil }
        return Unit(one: first.one + ["per"] + second.one, many: first.many + ["per"] + second.one)
    }

    private static func plain(_ symbol: String) -> Unit? {
        if let names = units[symbol] { return Unit(one: split(names.0), many: split(names.1)) }
        for (marks, word) in [(["²", "^2"], "square"), (["³", "^3"], "cubic")] {
            for mark in marks where symbol.hasSuffix(mark) {
                guard let names = units[String(symbol.dropLast(mark.count))] else { return nil }
                return Unit(one: [word] + split(names.0), many: [word] + split(names.1))
            }
        }
        return nil
    }

    private static let ambiguous: Set<String> = [
        "in", "a", "A", "B", "C", "F", "K", "d", "T", "t", "h", "N", "M", "J", "x", "\"", "'",
    ]

    private static let units: [String: (String, String)] = [
        "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
        "mm": ("millimeter", "millimeters"), "nm": ("nanometer", "nanometers"), "μm": ("micrometer", "micrometers"),
        "µm": ("micrometer", "micrometers"), "mi": ("mile", "miles"), "ft": ("foot", "feet"), "in": ("inch", "inches"),
        "yd": ("yard", "yards"), "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"),
        "mg": ("milligram", "milligrams"),
        "μg": ("microgram", "micrograms"), "µg": ("microgram", "micrograms"), "mcg": ("microgram", "micrograms"),
        "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"), "l": ("liter", "liters"),
        "L": ("liter", "liters"), "ml": ("milliliter", "milliliters"), "mL": ("milliliter", "milliliters"),
        "dL": ("deciliter", "deciliters"), "cl": ("centiliter", "centiliters"), "gal": ("gallon", "gallons"),
        "km2": ("square kilometer", "square kilometers"), "m2": ("square meter", "square meters"),
        "m3": ("cubic meter", "cubic meters"), "sqm": ("square meter", "square meters"),
        "sqft": ("square foot", "square feet"), "ha": ("hectare", "hectares"),
        "mph": ("mile per hour", "miles per hour"), "kmh": ("kilometer per hour", "kilometers per hour"),
        "kph": ("kilometer per hour", "kilometers per hour"), "mpg": ("mile per gallon", "miles per gallon"),
        "fps": ("frame per second", "frames per second"), "rpm": ("revolution per minute", "revolutions per minute"),
        "RPM": ("revolution per minute", "revolutions per minute"), "bpm": ("beat per minute", "beats per minute"),
        "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "MW": ("megawatt", "megawatts"),
        "GW": ("gigawatt", "gigawatts"), "Wh": ("watt hour", "watt hours"), "kWh": ("kilowatt hour", "kilowatt hours"),
        "MWh": ("megawatt hour", "megawatt hours"), "V": ("volt", "volts"), "kV": ("kilovolt", "kilovolts"),
        "mV": ("millivolt", "millivolts"), "A": ("amp", "amps"), "mA": ("milliamp", "milliamps"),
        "mAh": ("milliamp hour", "milliamp hours"), "Ω": ("ohm", "ohms"), "kΩ": ("kilohm", "kilohms"),
        "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"),
        "GHz": ("gigahertz", "gigahertz"), "dB": ("decibel", "decibels"), "KB": ("kilobyte", "kilobytes"),
        "kB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
        "TB": ("terabyte", "terabytes"), "PB": ("petabyte", "petabytes"), "KiB": ("kibibyte", "kibibytes"),
        "MiB": ("mebibyte", "mebibytes"), "GiB": ("gibibyte", "gibibytes"),
        "kbps": ("kilobit per second", "kilobits per second"),
        "Kbps": ("kilobit per second", "kilobits per second"), "Mbps": ("megabit per second", "megabits per second"),
        "Gbps": ("gigabit per second", "gigabits per second"), "ns": ("nanosecond", "nanoseconds"),
        "µs": ("microsecond", "microseconds"), "μs": ("microsecond", "microseconds"),
        "us": ("microsecond", "microseconds"),
        "ms": ("millisecond", "milliseconds"), "s": ("second", "seconds"), "sec": ("second", "seconds"),
        "secs": ("second", "seconds"), "min": ("minute", "minutes"), "mins": ("minute", "minutes"),
        "h": ("hour", "hours"),
        "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "yr": ("year", "years"), "yrs": ("year", "years"),
        "mo": ("month", "months"), "°": ("degree", "degrees"), "°C": ("degree Celsius", "degrees Celsius"),
        "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "℃": ("degree Celsius", "degrees Celsius"),
        "℉": ("degree Fahrenheit", "degrees Fahrenheit"), "ºC": ("degree Celsius", "degrees Celsius"),
        "ºF": ("degree Fahrenheit", "degrees Fahrenheit"), "px": ("pixel", "pixels"), "pt": ("point", "points"),
        "kcal": ("kilocalorie", "kilocalories"), "cal": ("calorie", "calories"), "kJ": ("kilojoule", "kilojoules"),
        "J": ("joule", "joules"), "N": ("newton", "newtons"), "Pa": ("pascal", "pascals"),
        "kPa": ("kilopascal", "kilopascals"),
        "hPa": ("hectopascal", "hectopascals"), "psi": ("P S I", "P S I"),
        "ppm": ("part per million", "parts per million"),
        "dpi": ("dot per inch", "dots per inch"), "hp": ("horsepower", "horsepower"), "mol": ("mole", "moles"),
        "%": ("percent", "percent"), "‰": ("per mille", "per mille"),
    ]
}
