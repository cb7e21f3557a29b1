using System.CommandLine;
using BackupEngine.Cli.Output;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Cli.CommandLine;

/// <summary>What one run of a command was given, and where it prints.</summary>
internal sealed class CommandContext : IDisposable
{
    private readonly ParseResult _parsed;
    private readonly ILoggerFactory _loggers;

    public CommandContext(ParseResult parsed)
    {
        _parsed = parsed;
        Json = parsed.GetValue(SharedOptions.Json);
        Verbose = parsed.GetValue(SharedOptions.Verbose);
        _loggers = Verbose ? CreateLoggers() : new LoggerFactory([new WarningLines()]);
    }

    /// <summary>Whether the result is to be one JSON document on stdout.</summary>
    public bool Json { get; }

    /// <summary>Whether logs and stack traces are wanted.</summary>
    public bool Verbose { get; }

    /// <summary>What repositories are opened with.</summary>
    public RepositoryOptions RepositoryOptions => IntentEnvironment.Apply(
        new() { LoggerFactory = _loggers, Limits = LimitSyntax.LimitsOf(_parsed), SingleWriter = _parsed.GetValue(SingleWriterSyntax.Option) });

    /// <summary>The value of an option, or null when it was not given and has no default.</summary>
    public T? Get<T>(Option<T> option) => _parsed.GetValue(option);

    /// <summary>The value of an option that parsing made sure of.</summary>
    public T GetRequired<T>(Option<T> option) => _parsed.GetRequiredValue(option);

    /// <summary>The value of an argument, or null when it was not given.</summary>
    public T? Get<T>(Argument<T> argument) => _parsed.GetValue(argument);

    /// <summary>The value of an argument that parsing made sure of.</summary>
    public T GetRequired<T>(Argument<T> argument) => _parsed.GetRequiredValue(argument);

    /// <summary>Runs an operation, with a progress bar where somebody can see it.</summary>
    public Task<T> WithProgressAsync<T>(string title, Func<IProgress<BackupProgress>?, Task<T>> operation) =>
        Terminal.ForProgress(Json) is { } console ? ProgressDisplay.RunAsync(console, title, operation) : operation(null);

    public void Dispose() => _loggers.Dispose();

    private static ILoggerFactory CreateLoggers() => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(LogLevel.Debug)
        .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
        .AddSimpleConsole(format =>
        {
            format.SingleLine = true;
            format.TimestampFormat = "HH:mm:ss.fff ";
        }));
}
