using Microsoft.Extensions.Logging;

namespace BackupEngine.Cli.Output;

/// <summary>What the engine warns of, one line on stderr each; but not what the command tells itself.</summary>
internal sealed class WarningLines : ILoggerProvider, ILogger
{
    // docs/architecture.md "Logs": a backup that failed is the command's error, and what a prune kept is in its report.
    private const int BackupFailed = 3;
    private const int PruneKept = 9;

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && eventId.Id is not (BackupFailed or PruneKept))
            ErrorReport.WriteWarning(exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception.Message}");
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
        // Nothing is held.
    }
}
