namespace BackupEngine.Diagnostics;

/// <summary>Counts calls to an object store, by many threads.</summary>
internal sealed class RequestTally
{
    private readonly long[] _calls = new long[Enum.GetValues<StoreCall>().Length];

    public RequestCounts Counts => new(this[StoreCall.Put], this[StoreCall.Get], this[StoreCall.Head], this[StoreCall.List], this[StoreCall.Delete]);

    private long this[StoreCall call] => Interlocked.Read(ref _calls[(int)call]);

    public void Add(StoreCall call) => Interlocked.Increment(ref _calls[(int)call]);
}
