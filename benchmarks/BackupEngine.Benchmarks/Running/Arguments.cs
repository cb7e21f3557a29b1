using System.Globalization;

namespace BackupEngine.Benchmarks.Running;

/// <summary>Arguments of the verbs that do not go to BenchmarkDotNet: one or more values, then <c>--name value</c> and <c>--flag</c>.</summary>
internal sealed class Arguments
{
    private readonly List<string> _values = [];
    private readonly Dictionary<string, string> _options = [];
    private readonly HashSet<string> _flags = [];

    /// <summary>Takes arguments apart.</summary>
    /// <param name="args">What follows the verb.</param>
    /// <param name="options">Names that are followed by a value.</param>
    /// <param name="flags">Names that stand alone.</param>
    /// <exception cref="UsageException">A name is not known, or its value is missing.</exception>
    public Arguments(string[] args, string[] options, string[] flags)
    {
        for (int index = 0; index < args.Length; index++)
        {
            string argument = args[index];
            if (flags.Contains(argument))
                _flags.Add(argument);
            else if (options.Contains(argument))
                _options[argument] = ++index < args.Length ? args[index] : throw new UsageException($"{argument} wants a value");
            else if (argument.StartsWith('-'))
                throw new UsageException($"{argument} is not known; there are {string.Join(", ", [.. options, .. flags])}");
            else
                _values.Add(argument);
        }
    }

    /// <summary>The only value.</summary>
    /// <exception cref="UsageException">There is none, or there are several.</exception>
    public string GetOnlyValue(string name) => _values.Count == 1 ? _values[0] : throw new UsageException($"give one {name}");

    public bool Has(string flag) => _flags.Contains(flag);

    /// <summary>A whole number from 1.</summary>
    /// <exception cref="UsageException">The value is not one.</exception>
    public long GetNumber(string option, long fallback) =>
        !_options.TryGetValue(option, out string? text) ? fallback
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0 ? number
        : throw new UsageException($"{option} wants a whole number from 1, not '{text}'");
}
