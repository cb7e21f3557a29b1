using System.CommandLine.Parsing;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Reads one written value.</summary>
/// <param name="text">As the user wrote it.</param>
/// <param name="value">What it means, when it means something.</param>
/// <param name="problem">What is wrong with it, otherwise: a sentence that names it and says how to write it.</param>
internal delegate bool ValueReader<T>(string text, out T value, out string problem);

/// <summary>Fits readers of single values into the parser of the command line, so that what is wrong with a value is a usage error.</summary>
internal static class Parsers
{
    public static Func<ArgumentResult, T?> Of<T>(ValueReader<T> read) => result =>
    {
        if (read(result.Tokens[0].Value, out T value, out string problem))
            return value;
        result.AddError(problem);
        return default;
    };

    /// <summary>For an option whose value may be absent.</summary>
    public static Func<ArgumentResult, T?> OfNullable<T>(ValueReader<T> read)
        where T : struct => result =>
    {
        if (read(result.Tokens[0].Value, out T value, out string problem))
            return value;
        result.AddError(problem);
        return null;
    };
}
