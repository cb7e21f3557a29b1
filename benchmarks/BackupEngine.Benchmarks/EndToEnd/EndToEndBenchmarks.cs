using BackupEngine.ObjectStores;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>What end-to-end benchmarks share: each invocation takes seconds and leaves something behind, so each is an iteration of its own.</summary>
[EndToEndJob]
public abstract class EndToEndBenchmarks
{
    private Workplace? _workplace;

    [Params(StoreKind.Memory, StoreKind.Directory)]
    public StoreKind Store { get; set; }

    internal Workplace Workplace => _workplace ?? throw new InvalidOperationException("The setup has not run.");

    internal IObjectStore CreateStore() => Workplace.CreateStore(Store);

    internal async Task CreateWorkplaceAsync() => _workplace = await Workplace.CreateAsync();

    internal async Task RemoveWorkplaceAsync() => await Workplace.DisposeAsync();

    /// <summary>BenchmarkDotNet's per-iteration hooks are synchronous.</summary>
    internal static void Wait(Task task) => task.GetAwaiter().GetResult();
}
