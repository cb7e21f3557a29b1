using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using BackupEngine.Diagnostics;

namespace BackupEngine.Tests.Diagnostics;

/// <summary>What the engine's meter was told by the test that made this, and by nobody else: tests beside it share the meter.</summary>
internal sealed class Measurements : IDisposable
{
    private static readonly AsyncLocal<Measurements?> _current = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = new();

    public Measurements()
    {
        _current.Value = this;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Telemetry.Name && !instrument.IsObservable)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));

        // Of durations only the number is certain.
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, 1, tags));
        _listener.Start();
    }

    /// <summary>Everything measured, by instrument and values of tags.</summary>
    public IReadOnlyDictionary<string, long> Sums => _sums;

    /// <summary>The sum, or the number of durations, of an instrument with these values of tags.</summary>
    public long this[string instrument, params string[] tags] => _sums.GetValueOrDefault(string.Join(' ', [instrument, .. tags]));

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_current.Value != this)
            return;
        string key = instrument.Name;
        foreach (KeyValuePair<string, object?> tag in tags)
            key += $" {tag.Value}";
        _sums.AddOrUpdate(key, value, (_, sum) => sum + value);
    }
}
