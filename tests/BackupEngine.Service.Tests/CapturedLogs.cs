using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class CapturedLogs : ILoggerProvider, ILogger
{
    private const int MaxLines = 100_000;

    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
        while (_lines.Count > MaxLines)
        {
            _lines.TryDequeue(out _);
        }
    }

    public void Dispose()
    {
        // The lines are still to be looked at.
    }
}
