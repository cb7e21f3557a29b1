namespace BackupEngine.S3;

/// <summary>Cancels a request in which nothing has moved for a while; one that is slow but moves may take as long as it takes.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _patience;

    public StallWatch(TimeSpan patience, CancellationToken cancellationToken)
    {
        _patience = patience;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _source.CancelAfter(patience);
    }

    public CancellationToken Token => _source.Token;

    public void Moved() => _source.CancelAfter(_patience);

    public Task CancelAsync() => _source.CancelAsync();

    public void Dispose() => _source.Dispose();
}
